"""An SSH server on loopback that stands for hosts: commands run on this machine, as this user."""

import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path

import asyncssh


class SshServer:
    """Accepts the key beside its ssh_config, and runs commands as sshd does for a user of bash."""

    def __init__(self, folder: Path) -> None:
        self.ssh_config = folder / "ssh_config"
        self.connections: list[asyncssh.SSHServerConnection] = []
        self._children: list[asyncio.subprocess.Process] = []
        self._key, self._folder = asyncssh.generate_private_key("ssh-ed25519"), folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        key = self._folder / "key"
        self._key.write_private_key(str(key))
        self.ssh_config.write_text(
            f"Host f0-*\n  HostName 127.0.0.1\n  Port {self._server.get_port()}\n  User vagrant\n"
            f"  IdentityFile {key}\n  IdentitiesOnly yes\n"
        )

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break all connections, as a host does that stops."""
        for connection in self.connections:
            self._loop.call_soon_threadsafe(connection.abort)

    async def _listen(self) -> asyncssh.SSHAcceptor:
        authorized = asyncssh.import_authorized_keys(self._key.export_public_key().decode())
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=authorized,
            process_factory=self._run,
            acceptor=self.connections.append,
            encoding=None,
        )

    async def _run(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *("bash", "-c", process.command or ""),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
        self._children.append(child)
        output, errors = await child.communicate()
        process.stdout.write(output)
        process.stderr.write(errors)
        if child.returncode == -signal.SIGKILL:
            process.exit_with_signal("KILL")
        else:
            process.exit(child.returncode or 0)

    async def _close(self) -> None:
        self.cut()
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):  # it has finished, with all that it started
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
        self._server.close()
        await self._server.wait_closed()
