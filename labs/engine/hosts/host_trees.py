"""Role trees → one file tree per host: a file vagrant/roles/<role>/etc/x becomes /etc/x on the hosts of that role."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Host, Topology
from labs.engine.course.yaml_file import load_model
from labs.engine.hosts.credentials import Secrets
from labs.engine.hosts.pki import Authority, CertificateSpec, Pair, PkiSpec, ssh_key_pair
from labs.engine.hosts.templates import template_environment

# The unit that keeps hosts from leaving this machine, where a host enables it.
_NO_WAY_OUT = "etc/systemd/system/lab.target.wants/no-way-out.service"


class HostTrees:
    """The file trees of one set of hosts, with new certificates and keys.

    Args:
        repo: the checkout
        target: folder of the trees, one folder per host; what it held is deleted
        topology: the hosts, with all roles that their lab needs
        edition: the versions of the course
        secrets: the hosts' passwords and keys
        proxy_mode: kube-proxy's mode, "ipvs" or "iptables"

    Raises:
        LabError: vagrant/certificates.yml has problems; each is named with its line.
    """

    def __init__(
        self, repo: Path, target: Path, topology: Topology, edition: Edition, secrets: Secrets, proxy_mode: str
    ) -> None:
        self._repo, self._target, self._topology = repo, target, topology
        self._spec = spec = load_model(repo / "vagrant" / "certificates.yml", PkiSpec)
        self._authorities = {name: Authority(authority.cn) for name, authority in spec.authorities.items()}
        self._admin = self._authorities[spec.admin.authority].issue(spec.admin)
        self._shared: dict[str, Pair] = {}
        self._host_keys = {name: ssh_key_pair() for name in topology.names}
        self._ssh_keys = {role: ssh_key_pair() for role in spec.ssh_keys}
        self._env = template_environment()
        self._context: Mapping[str, Any] = {
            "topology": topology,
            "secrets": secrets,
            "proxy_mode": proxy_mode,
            "images": {name: image.reference for name, image in edition.images.items()},
            "host_keys": {name: public.decode().strip() for name, (_, public) in self._host_keys.items()},
            "ssh_keys": {role: public.decode().strip() for role, (_, public) in self._ssh_keys.items()},
        }

    def write(self, api_port: int, *, internet: bool) -> None:
        """Write all trees and, beside their folder, what programs on this machine need to reach the API.

        That is `kubeconfig`, and `api/` with ca.pem, admin.pem and admin-key.pem.

        Args:
            api_port: the API server's port on this machine's loopback
            internet: whether the hosts may leave this machine
        """
        shutil.rmtree(self._target, ignore_errors=True)
        for host in self._topology.hosts:
            tree = self._target / host.name
            self._write_tree(host, tree)
            if internet:
                (tree / _NO_WAY_OUT).unlink()
        _write(self._target.with_name("kubeconfig"), self._kubeconfig(f"https://127.0.0.1:{api_port}"), 0o600)
        api = self._target.with_name("api")
        _write(api / "ca.pem", self._authorities[self._spec.admin.authority].pair.certificate, 0o644)
        _write_pair(api / "admin", self._admin)

    def _write_tree(self, host: Host, tree: Path) -> None:
        context = {**self._context, "host": host, "address": str(self._topology.address(host.name))}
        for role in ["base", *host.roles]:
            self._write_credentials(role, tree, context)
            source = self._repo / "vagrant" / "roles" / role
            for path in sorted(source.rglob("*")):
                self._write_file(path, tree / path.relative_to(source), context)
        private, public = self._host_keys[host.name]
        place = _on(tree, self._spec.ssh_host_key)
        _write(place, private, 0o600)
        _write(place.with_name(f"{place.name}.pub"), public, 0o644)
        for folder in [tree, *(path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink())]:
            folder.chmod(0o755)

    def _write_file(self, source: Path, target: Path, context: Mapping[str, Any]) -> None:
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
        elif source.suffix == ".j2":
            _write(target.with_suffix(""), self._render(source, context), mode)
        elif source.is_file():
            _write(target, source.read_bytes(), mode)

    def _write_credentials(self, role: str, tree: Path, context: Mapping[str, Any]) -> None:
        """Write the certificates and keys of one role; their place is the same for all hosts, their names are not."""
        for authority, path in self._spec.trust.get(role, {}).items():
            _write(_on(tree, path), self._authorities[authority].pair.certificate, 0o644)
        for authority, path in self._spec.authority_keys.get(role, {}).items():
            _write_pair(_on(tree, path), self._authorities[authority].pair)
        for spec in (spec for spec in self._spec.certificates if spec.role == role):
            rendered = CertificateSpec.model_validate(self._render_all(spec.model_dump(), context))
            pair = self._shared.get(spec.path) or self._authorities[spec.authority].issue(rendered)
            if spec.shared:
                self._shared[spec.path] = pair
            _write_pair(_on(tree, rendered.path), pair)
        for path in self._spec.kubeconfigs.get(role, []):
            vip = self._topology.vip
            config = self._kubeconfig(f"https://{vip.name}.{self._topology.domain}:{vip.port}")
            _write(_on(tree, path), config, 0o600)
        if role in self._ssh_keys:
            _write(_on(tree, self._spec.ssh_keys[role]), self._ssh_keys[role][0], 0o600)

    def _kubeconfig(self, server: str) -> bytes:
        """Return the administrator's kubeconfig for an API server at a URL."""
        ca = self._authorities[self._spec.admin.authority].pair.certificate
        values = {"server": server, "ca": ca, "certificate": self._admin.certificate, "key": self._admin.key}
        return self._render(self._repo / "vagrant" / "admin.kubeconfig.j2", {**self._context, **values})

    def _render(self, template: Path, context: Mapping[str, Any]) -> bytes:
        return self._env.from_string(template.read_text(encoding="utf-8")).render(context).encode()

    def _render_all(self, value: Any, context: Mapping[str, Any]) -> Any:
        """Return a value of YAML with all strings in it rendered as templates."""
        if isinstance(value, dict):
            return {key: self._render_all(item, context) for key, item in value.items()}
        if isinstance(value, list):
            return [self._render_all(item, context) for item in value]
        return self._env.from_string(value).render(context) if isinstance(value, str) else value


def _on(tree: Path, path: str) -> Path:
    """Return where an absolute path of a host is in its tree."""
    return tree / path.lstrip("/")


def _write_pair(place: Path, pair: Pair) -> None:
    _write(place.with_name(f"{place.name}.pem"), pair.certificate, 0o644)
    _write(place.with_name(f"{place.name}-key.pem"), pair.key, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that never has more permissions than `mode`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=mode)
    path.write_bytes(content)
    path.chmod(mode)
