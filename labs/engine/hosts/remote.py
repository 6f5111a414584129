"""Commands and files on the hosts, over SSH by an OpenSSH client configuration."""

import logging
import shlex
import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs.engine.errors import LabError
from labs.engine.messages import _


@dataclass(frozen=True)
class CommandResult:
    """What a command did on a host.

    Attributes:
        host: the host's name
        status: exit status of the command; -1 when a signal ended it
        output: everything it printed: first its standard output, then its standard error
    """

    host: str
    status: int
    output: str


class Remote:
    """Connections to the hosts of an ssh_config, opened when needed and kept open until `close`."""

    def __init__(self, ssh_config: Path) -> None:
        self._ssh_config = ssh_config
        self._connections: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; commands that still run on them raise LabError where they were called."""
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.close()

    def _connection(self, host: str) -> Any:
        from fabric import Config, Connection  # takes 0.3 s: only for those that run something

        # A host that is booting resets connections; without a handler, paramiko prints each as a traceback.
        logging.getLogger("paramiko").addHandler(logging.NullHandler())
        # One at a time, each with its own configuration: threads can't share Fabric's.
        with self._lock:
            if host not in self._connections:
                config = Config(runtime_ssh_path=str(self._ssh_config))
                self._connections[host] = Connection(host, config=config, connect_timeout=5)
            return self._connections[host]

    def run(self, host: str, script: str, seconds: float = 300) -> CommandResult:
        """Run a script as the learner would (`bash -euo pipefail`), for at most `seconds`.

        Raises:
            LabError: host-unreachable: there is no connection, or it broke meanwhile; host-timeout: the script takes
                longer. In both cases it may still run on the host.
        """
        from invoke.exceptions import CommandTimedOut
        from paramiko.ssh_exception import SSHException

        command = f"bash -euo pipefail -c {shlex.quote(script)}"
        deadline = time.monotonic() + seconds
        try:
            connection = self._connection(host)
            result = connection.run(command, hide=True, warn=True, in_stream=False, timeout=seconds)
        except CommandTimedOut as error:
            raise _timeout(host, script, seconds) from error
        except (OSError, SSHException, EOFError) as error:
            raise _unreachable(host, error) from error
        if result.exited == -1 and not connection.is_connected:
            raise _unreachable(host, _("the connection broke"))
        # Invoke overlooks its own timeout when the command ends before the timer's thread does.
        if result.exited == -1 and time.monotonic() >= deadline:
            raise _timeout(host, script, seconds)
        return CommandResult(host, result.exited, result.stdout + result.stderr)

    def run_everywhere(self, hosts: Collection[str], script: str, seconds: float = 300) -> list[CommandResult]:
        """Run a script on several hosts at once; return the results in the order of `hosts`."""
        with ThreadPoolExecutor(max(1, len(hosts))) as pool:
            running = [pool.submit(self.run, host, script, seconds) for host in hosts]
            try:
                return [future.result() for future in running]
            except KeyboardInterrupt:
                self.close()  # otherwise the pool would wait for commands that may take minutes
                raise

    def write(self, hosts: Collection[str], path: str, content: str) -> list[CommandResult]:
        """Write a file (root's, mode 0644) on several hosts, with the folders it needs."""
        return self.run_everywhere(
            hosts, f"printf %s {shlex.quote(content)} | sudo install -D -m 0644 /dev/stdin {shlex.quote(path)}"
        )


def _timeout(host: str, script: str, seconds: float) -> LabError:
    return LabError(
        "host-timeout",
        _("Timed out after {seconds} s on {host}:\n{script}", seconds=f"{seconds:g}", host=host, script=script),
        _("See the state of the host: invoke lab.status"),
    )


def _unreachable(host: str, reason: object) -> LabError:
    return LabError(
        "host-unreachable",
        _("{host} is not reachable over SSH ({reason}).", host=host, reason=reason),
        _("See the state of the host: invoke lab.status"),
    )
