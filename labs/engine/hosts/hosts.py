"""The five hosts of a workspace: everything they are made from is laid out, then they are created."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from labs.engine.course.edition import Edition
from labs.engine.course.topology import Topology
from labs.engine.hosts.docker import containers
from labs.engine.hosts.docker.containers import Ports
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.host_trees import Secrets, Trees
from labs.engine.hosts.pki import ssh_key_pair
from labs.engine.hosts.remote import end_shared_connections
from labs.engine.hosts.vagrant.machines import Machines, free_ports, make_control_folder, ssh_config
from labs.engine.workspace import Workspace


class Hosts:
    """Creates and destroys the hosts of one workspace with one provider."""

    def __init__(
        self, workspace: Workspace, topology: Topology, edition: Edition, provider: str, engine: Engine
    ) -> None:
        self._workspace, self._topology, self._edition, self._engine = workspace, topology, edition, engine
        self._provider, self._machines = provider, Machines(workspace, topology, provider)

    def lay_out(self, images: Mapping[str, str], archives: Mapping[str, Path], *, internet: bool) -> Ports:
        """Write all of `.labs/` and create the lab network; return the loopback ports chosen."""
        root = self._workspace.root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = free_ports(self._topology)
        self._link_archives(archives)
        trees = Trees(
            self._workspace, self._topology, self._edition, Secrets.generate(self._new_ssh_key()), proxy_mode()
        )
        api = next(port for port in self._topology.published if port.name == "api")
        trees.write(ports[api.host]["api"], internet=internet)
        make_control_folder(self._workspace)
        self._workspace.ssh_config.write_text(ssh_config(self._workspace, ports))
        self._machines.write_vagrantfile(images, ports, self._engine)
        self._engine.create_network(self._topology.network, internet=internet)
        return ports

    def create(self, images: Mapping[str, str], ports: Ports) -> None:
        """Create and start all hosts, each from its image; they boot into their roles by themselves."""
        if self._provider == "docker":
            containers.start(self._workspace, self._topology, images, ports, self._engine.labels)
        else:
            self._machines.up()

    def reboot(self, host: str) -> None:
        """Turn a host off and on again."""
        self._machines.reload(host)

    def abandon(self) -> None:
        """Stop creating hosts; `destroy` removes what is there already."""
        self._machines.abandon()

    def destroy(self) -> None:
        """Remove the hosts, their network and `.labs/`: also what a run left that was interrupted."""
        end_shared_connections(self._workspace)
        self._machines.abandon()
        self._engine.remove_all()
        self._machines.destroy()
        shutil.rmtree(self._workspace.root, ignore_errors=True)

    def _link_archives(self, archives: Mapping[str, Path]) -> None:
        folder = self._workspace.root / "images"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, archive in archives.items():
            try:
                os.link(archive, folder / f"{name}.tar")
            except OSError:  # the cache is on another file system
                shutil.copy2(archive, folder / f"{name}.tar")

    def _new_ssh_key(self) -> str:
        private, public = ssh_key_pair()
        file = self._workspace.root / "ssh_key"
        file.touch(mode=0o600)
        file.write_bytes(private)
        return public.decode()


def proxy_mode() -> str:
    """Return kube-proxy's mode: ipvs, as in the original, where this kernel has it, else iptables."""
    return "ipvs" if Path("/proc/net/ip_vs").exists() else "iptables"
