"""Commands and files on the hosts, over SSH by the workspace's ssh_config (no Vagrant call)."""

import shlex
import subprocess
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fabric import Config, Connection
from invoke.exceptions import CommandTimedOut
from paramiko.ssh_exception import SSHException

from labs.engine.errors import LabError
from labs.engine.hosts.vagrant.machines import control_path
from labs.engine.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """What a command did on a host: its exit status and everything it printed, in order of stream."""

    host: str
    status: int
    output: str


class Remote:
    """Connections to the hosts, kept open until `close`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._connections: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; commands that still run on them end as failed."""
        for connection in self._connections.values():
            connection.close()

    def _connection(self, host: str) -> Any:
        # One at a time, each with a configuration of its own: Fabric's is not made for threads that share it.
        with self._lock:
            if host not in self._connections:
                config = Config(runtime_ssh_path=str(self._workspace.ssh_config))
                self._connections[host] = Connection(host, config=config, connect_timeout=5)
            return self._connections[host]

    def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
        """Run a script as the learner would (`bash -euo pipefail`), for at most `seconds`.

        Raises:
            LabError: the host does not answer, or the script takes longer.
        """
        command = f"bash -euo pipefail -c {shlex.quote(script)}"
        try:
            result = self._connection(host).run(command, hide=True, warn=True, in_stream=False, timeout=seconds)
        except CommandTimedOut as error:
            raise LabError(
                f"On {host} this did not end in {seconds:.0f} s:\n{script}", "Look at the host: invoke lab.status"
            ) from error
        except (OSError, SSHException, EOFError) as error:
            raise LabError(
                f"{host} does not answer over SSH ({error}).", "`invoke lab.status` shows its state."
            ) from error
        return Outcome(host, result.exited, result.stdout + result.stderr)

    def run_everywhere(self, hosts: Collection[str], script: str, seconds: float = 300) -> list[Outcome]:
        """Run a script on several hosts at once; results in the order of `hosts`."""
        with ThreadPoolExecutor(max(1, len(hosts))) as pool:
            running = [pool.submit(self.run, host, script, seconds) for host in hosts]
            try:
                return [one.result() for one in running]
            except KeyboardInterrupt:
                self.close()  # else the pool would wait for commands that may take minutes
                raise

    def write(self, hosts: Collection[str], path: str, content: str) -> list[Outcome]:
        """Write a file (root's, 0644) on several hosts, with the folders it needs."""
        return self.run_everywhere(
            hosts, f"printf %s {shlex.quote(content)} | sudo install -D -m 0644 /dev/stdin {shlex.quote(path)}"
        )


def end_shared_connections(workspace: Workspace) -> None:
    """End the SSH connections that stay open in the background (ControlPersist), and remove their sockets."""
    folder = control_path(workspace).parent
    for socket in folder.glob("*"):
        subprocess.run(
            ["ssh", "-F", str(workspace.ssh_config), "-O", "exit", socket.name],
            capture_output=True,
            check=False,
            timeout=10,
        )
        socket.unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()
