"""Role trees → one file tree a host: what lies under vagrant/roles/<role>/ lies under / on the hosts of that role."""

import base64
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
from jinja2 import Environment, StrictUndefined

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Host, Topology
from labs.engine.course.yaml_file import load_model
from labs.engine.hosts.pki import Authority, CertificateSpec, Pair, PkiSpec, ssh_key_pair
from labs.engine.workspace import Workspace

# Who has a password on f0-15: everything, deliver, read images, push source.
ACCOUNTS = ("admin", "ci", "reader", "dev")


@dataclass(frozen=True)
class Password:
    """A password, and its bcrypt hash."""

    text: str
    hash: str

    @classmethod
    def generate(cls) -> "Password":
        """Return a fresh one."""
        text = secrets.token_urlsafe(12)
        return cls(text, bcrypt.hashpw(text.encode(), bcrypt.gensalt(rounds=6)).decode())


@dataclass(frozen=True)
class Secrets:
    """What is made anew for each set of hosts; a password for each of ACCOUNTS."""

    ssh_public_key: str
    passwords: Mapping[str, Password]
    encryption_key: str

    @classmethod
    def generate(cls, ssh_public_key: str) -> "Secrets":
        """Return fresh passwords and keys for hosts that let `ssh_public_key` in."""
        return cls(
            ssh_public_key.strip(),
            {name: Password.generate() for name in ACCOUNTS},
            base64.b64encode(secrets.token_bytes(32)).decode(),
        )


def environment() -> Environment:
    """Return the environment of all templates: an unknown variable is an error; nothing is escaped (it is no HTML)."""
    env = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    env.filters["b64encode"] = lambda data: base64.b64encode(data).decode()
    return env


class Trees:
    """Renders the trees of all hosts of a workspace."""

    def __init__(
        self, workspace: Workspace, topology: Topology, edition: Edition, given: Secrets, proxy_mode: str
    ) -> None:
        self._workspace, self._topology = workspace, topology
        self._roles = workspace.repo / "vagrant" / "roles"
        self._spec = load_model(workspace.repo / "vagrant" / "certificates.yml", PkiSpec)
        self._authorities = {name: Authority(spec.cn) for name, spec in self._spec.authorities.items()}
        self._shared: dict[str, Pair] = {}
        # of the hosts' SSH servers, and of the ops hosts as clients: private, public
        self._host_keys = {name: ssh_key_pair() for name in topology.names}
        self._ops_key = ssh_key_pair()
        self._env = environment()
        self._context: Mapping[str, Any] = {
            "topology": topology,
            "secrets": given,
            "proxy_mode": proxy_mode,
            "images": {name: image.reference for name, image in edition.images.items()},
            "host_keys": {name: public.decode().strip() for name, (_, public) in self._host_keys.items()},
            "ops_key": self._ops_key[1].decode().strip(),
        }

    def write(self, api_port: int, *, internet: bool) -> None:
        """Write `.labs/hosts/<name>/`, and what this machine needs to reach the API at loopback:`api_port`."""
        shutil.rmtree(self._workspace.hosts, ignore_errors=True)
        self._workspace.hosts.mkdir(parents=True)
        for host in self._topology.hosts:
            tree = self._workspace.hosts / host.name
            self._write_host(host, tree)
            if internet:
                (tree / "etc/systemd/system/lab.target.wants/no-way-out.service").unlink()
        self._write(self._workspace.kubeconfig, self._admin(f"https://127.0.0.1:{api_port}"), 0o600)
        api = self._workspace.root / "api"
        self._write(api / "ca.pem", self._authorities["ca"].pair.certificate, 0o644)
        self._write(api / "admin.pem", self._shared["admin"].certificate, 0o644)
        self._write(api / "admin-key.pem", self._shared["admin"].key, 0o600)

    def _write_host(self, host: Host, tree: Path) -> None:
        context = {**self._context, "host": host, "address": str(self._topology.address(host.name))}
        for role in ["base", *host.roles]:
            self._issue(role, tree, context)
            for source in sorted((self._roles / role).rglob("*")):
                self._place(source, tree / source.relative_to(self._roles / role), context)
        if "control-plane" in host.roles:
            for home in ("root", "home/vagrant"):
                vip = self._topology.vip
                self._write(
                    tree / home / ".kube/config",
                    self._admin(f"https://{vip.name}.{self._topology.domain}:{vip.port}"),
                    0o600,
                )
        if "ops" in host.roles:
            self._write(tree / "home/vagrant/.ssh/id_ed25519", self._ops_key[0], 0o600)
        private, public = self._host_keys[host.name]
        self._write(tree / "etc/ssh/ssh_host_ed25519_key", private, 0o600)
        self._write(tree / "etc/ssh/ssh_host_ed25519_key.pub", public, 0o644)
        for folder in [tree, *(path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink())]:
            folder.chmod(0o755)

    def _place(self, source: Path, target: Path, context: Mapping[str, Any]) -> None:
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.readlink(source))
        elif source.suffix == ".j2":
            text = self._env.from_string(source.read_text()).render(context)
            self._write(target.with_suffix(""), text.encode(), 0o755 if os.access(source, os.X_OK) else 0o644)
        elif source.is_file():
            self._write(target, source.read_bytes(), 0o755 if os.access(source, os.X_OK) else 0o644)

    def _issue(self, role: str, tree: Path, context: Mapping[str, Any]) -> None:
        for authority, path in self._spec.trust.get(role, {}).items():
            self._write(tree / path.lstrip("/"), self._authorities[authority].pair.certificate, 0o644)
        for authority, path in self._spec.authority_keys.get(role, {}).items():
            self._write_pair(tree / path.lstrip("/"), self._authorities[authority].pair)
        for spec in (spec for spec in self._spec.certificates if spec.role == role):
            filled = CertificateSpec.model_validate(self._fill(spec.model_dump(), context))
            pair = self._shared.get(spec.path) or self._authorities[spec.authority].issue(filled)
            if spec.shared:
                self._shared[spec.path] = pair
            self._write_pair(tree / filled.path.lstrip("/"), pair)

    def _fill(self, value: Any, context: Mapping[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._fill(item, context) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, context) for item in value]
        return self._env.from_string(value).render(context) if isinstance(value, str) else value

    def _admin(self, server: str) -> bytes:
        authority = self._authorities["ca"]
        spec = CertificateSpec(role="", authority="ca", path="", cn="admin", o="system:masters", usage=["client"])
        pair = self._shared.setdefault("admin", authority.issue(spec))
        template = self._env.from_string((self._workspace.repo / "vagrant" / "admin.kubeconfig.j2").read_text())
        return template.render(
            self._context, server=server, ca=authority.pair.certificate, certificate=pair.certificate, key=pair.key
        ).encode()

    def _write_pair(self, place: Path, pair: Pair) -> None:
        self._write(place.with_name(f"{place.name}.pem"), pair.certificate, 0o644)
        self._write(place.with_name(f"{place.name}-key.pem"), pair.key, 0o600)

    @staticmethod
    def _write(path: Path, content: bytes, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
