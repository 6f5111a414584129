"""How hosts are reached, whatever provides them: ports on loopback, OpenSSH's configuration, shared connections."""

import contextlib
import os
import socket
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.state import Ports
from labs.engine.workspace import Workspace

PORTS_OF_A_NETWORK = 20


@dataclass(frozen=True)
class Endpoint:
    """Where a host's SSH server is: address and port on this machine, user and private key."""

    address: str
    port: int
    user: str
    key: Path


@dataclass(frozen=True)
class Access:
    """The way to the hosts of a workspace."""

    workspace: Workspace
    domain: str

    @property
    def key(self) -> Path:
        """The private key that opens the hosts of this workspace, and no others."""
        return self.workspace.root / "ssh_key"

    @property
    def control_folder(self) -> Path:
        """Folder of the sockets of shared connections: a short path, since a socket's has at most 108 bytes."""
        return Path(f"/tmp/{self.workspace.name}-{os.getuid()}")

    def endpoint(self, host: str, ports: Ports) -> Endpoint:
        """Return where a host is reached by SSH."""
        return Endpoint("127.0.0.1", ports[host]["ssh"], "vagrant", self.key)

    def write(self, ports: Ports) -> None:
        """Write the OpenSSH configuration, and make the folder of shared connections.

        Raises:
            LabError: that folder belongs to another user.
        """
        self.make_control_folder()
        self.workspace.ssh_config.write_text(self.ssh_config(ports), encoding="utf-8")

    def ssh_config(self, ports: Ports) -> str:
        """Return the OpenSSH client configuration. The hosts' keys are as new as the hosts, so none is known."""
        sections = [
            f"Host {host} {host}.{self.domain}\n  HostName 127.0.0.1\n  Port {of_host['ssh']}\n"
            for host, of_host in sorted(ports.items())
        ]
        common = (
            "Host f0-*\n  User vagrant\n"
            f'  IdentityFile "{self.key}"\n'
            "  IdentitiesOnly yes\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
            "  ConnectTimeout 5\n  ServerAliveInterval 5\n  ServerAliveCountMax 3\n"
            f"  ControlMaster auto\n  ControlPersist 60s\n  ControlPath {self.control_folder}/%n\n"
        )
        return "".join(sections) + common

    def make_control_folder(self) -> None:
        """Make the folder of shared connections, which a reboot removes; LabError when it is another user's."""
        with contextlib.suppress(FileExistsError):
            self.control_folder.mkdir(mode=0o700)
        if not self._owns_control_folder():
            raise LabError(
                "not-owner",
                _("{folder} is not a folder of yours: another user may have made it.", folder=self.control_folder),
                _("Remove it, or ask its owner to; otherwise set F0_WORKSPACE to another folder."),
            )

    def _owns_control_folder(self) -> bool:
        # Anyone may make an entry of that name in /tmp; sockets in a folder of theirs would be theirs as well.
        try:
            status = self.control_folder.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()

    def end_shared_connections(self) -> None:
        """End the SSH connections that stay open in the background (ControlPersist), and remove their sockets."""
        if not self._owns_control_folder():
            return
        for control in self.control_folder.iterdir():
            leave = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={control}", "-O", "exit", "host"]
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(leave, capture_output=True, timeout=10)
            control.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a new connection was opened meanwhile
            self.control_folder.rmdir()


def free_ports(topology: Topology) -> Ports:
    """Return a free loopback port for SSH of every host and for each published port.

    Every lab network has ports of its own, by its third number: a host that is off for a moment keeps its port.

    Raises:
        LabError: too few of them are free.
    """
    first = topology.first_port + PORTS_OF_A_NETWORK * topology.network.network_address.packed[2]
    last = first + PORTS_OF_A_NETWORK - 1
    wanted = [(host.name, "ssh") for host in topology.hosts] + [(port.host, port.name) for port in topology.published]
    ports: Ports = {host.name: {} for host in topology.hosts}
    candidates = iter(range(first, last + 1))
    for host, name in wanted:
        port = next((port for port in candidates if _is_free(port)), None)
        if port is None:
            raise LabError(
                "ports-taken",
                _("Too few ports between {first} and {last} are free on this machine.", first=first, last=last),
                _("Stop the programs that use them, or set another `first_port` in vagrant/topology.yml."),
            )
        ports[host][name] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
