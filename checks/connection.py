"""Hosts by SSH: every command has a deadline, and a host that doesn't answer is no mistake of the learner's."""

import subprocess
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from labs.engine.errors import LabError
from labs.engine.messages import _

SESSIONS = 8  # at a time on one host; by default, sshd allows 10 on a connection that is shared (MaxSessions)
COMMAND_SECONDS = 30
CONTACT_SECONDS = 8


class HostUnreachable(LabError):
    """A host doesn't answer, so nothing can be observed on it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "host-unreachable",
            _("{host} does not answer over SSH.", host=name),
            _("Run `invoke lab.status` to see its state."),
        )


class Connection(BaseBackend):
    """testinfra's way to one host by SSH; may be used by several threads.

    The ssh_config decides whether sessions share a connection. testinfra's own SshBackend has neither a deadline nor a
    limit of sessions, and takes exit status 255 of a command for a failure of ssh.
    """

    NAME = "ssh"

    def __init__(self, name: str, ssh_config: Path) -> None:
        super().__init__(name)
        self._ssh = ["ssh", "-F", str(ssh_config), "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", name]
        self._encoding = "UTF-8"  # known, so testinfra needn't ask the host
        self._sessions = BoundedSemaphore(SESSIONS)

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command on the host. Raises HostUnreachable when ssh fails or the deadline passes."""
        line = self.get_command(command, *args)
        done = self._run(line, COMMAND_SECONDS)
        # 255 is ssh's own failure, but a command may exit with it as well.
        if done.returncode == 255 and not self.answers():
            raise HostUnreachable(self.hostname)
        return self.result(done.returncode, line.encode(), done.stdout, done.stderr)

    def answers(self) -> bool:
        """Whether the host runs commands at all: a paused one accepts the connection, but then stays silent."""
        try:
            return self._run("true", CONTACT_SECONDS).returncode == 0
        except HostUnreachable:
            return False

    def _run(self, line: str, seconds: float) -> subprocess.CompletedProcess[bytes]:
        with self._sessions:
            try:
                return subprocess.run(
                    [*self._ssh, line], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
                )
            except subprocess.TimeoutExpired:
                raise HostUnreachable(self.hostname) from None


class Hosts:
    """The hosts by name; each is contacted once before its first command. May be used by several threads."""

    def __init__(self, ssh_config: Path) -> None:
        self._ssh_config = ssh_config
        self._lock = Lock()
        self._contacts: dict[str, _Contact] = {}

    def __getitem__(self, name: str) -> Host:
        """Return a host. Raises HostUnreachable when it doesn't answer."""
        with self._lock:
            contact = self._contacts.setdefault(name, _Contact(name, self._ssh_config))
        return contact.host()


class _Contact:
    """One host, and whether it answers: the first thread to ask finds out, and the others wait for it."""

    def __init__(self, name: str, ssh_config: Path) -> None:
        self._backend = Connection(name, ssh_config)
        self._host = Host(self._backend)
        self._backend.set_host(self._host)
        self._lock = Lock()
        self._answers: bool | None = None

    def host(self) -> Host:
        with self._lock:
            if self._answers is None:
                self._answers = self._backend.answers()
        if not self._answers:
            raise HostUnreachable(self._backend.hostname)
        return self._host
