"""Commands and files on hosts, over real SSH connections to a server on loopback."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.remote import CommandResult, Remote
from labs.engine.waiting import wait_until
from tests.engine.conftest import Program
from tests.engine.hosts.ssh_server import SshServer

CONTENT = """[Service]
ExecStart=/bin/sh -c "echo '$HOME' \\"%n\\" \\\\ > /tmp/x"  # 中文
\ttab, no end of line"""
HOSTS = ["f0-14", "f0-11", "f0-13"]


def hanging(started: Path) -> str:
    return f"touch {started}; exec sleep 60"


def test_a_result_has_the_output_of_both_streams(remote: Remote) -> None:
    assert remote.run("f0-13", "echo 错误 >&2; echo out") == CommandResult("f0-13", 0, "out\n错误\n")


def test_a_failure_is_a_result_with_its_exit_status(remote: Remote) -> None:
    assert remote.run("f0-13", "echo before; exit 7") == CommandResult("f0-13", 7, "before\n")


@pytest.mark.parametrize("script", ["false; echo after", "echo $UNSET", "false | true"])
def test_a_script_stops_at_its_first_error(remote: Remote, script: str) -> None:
    result = remote.run("f0-13", script)
    assert (result.status, "after" in result.output) == (1, False)


def test_a_command_that_a_signal_ended_has_no_exit_status(remote: Remote) -> None:
    assert remote.run("f0-13", "echo before; kill -9 $$") == CommandResult("f0-13", -1, "before\n")


def test_a_command_reads_nothing_from_the_terminal(remote: Remote) -> None:
    assert remote.run("f0-13", "cat; echo done").output == "done\n"


def test_commands_share_a_connection(remote: Remote, ssh_server: SshServer) -> None:
    remote.run("f0-13", "true")
    remote.run("f0-13", "true")
    assert len(ssh_server.connections) == 1


def test_a_script_that_takes_too_long_is_an_error_with_the_script(remote: Remote) -> None:
    with pytest.raises(LabError) as raised:
        remote.run("f0-13", "sleep 60", seconds=0.2)
    assert (raised.value.code, str(raised.value.message)) == (
        "host-timeout",
        "Timed out after 0.2 s on f0-13:\nsleep 60",
    )


def test_a_host_that_dies_meanwhile_is_an_error(remote: Remote, ssh_server: SshServer, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(remote.run, "f0-13", hanging(tmp_path / "started"))
        assert wait_until((tmp_path / "started").exists, 30)
        ssh_server.cut()
        with pytest.raises(LabError) as raised:
            running.result(30)
    assert (raised.value.code, str(raised.value.message)) == (
        "host-unreachable",
        "f0-13 is not reachable over SSH (the connection broke).",
    )


def test_a_host_that_came_back_is_connected_to_again(remote: Remote, ssh_server: SshServer, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(remote.run, "f0-13", hanging(tmp_path / "started"))
        assert wait_until((tmp_path / "started").exists, 30)
        ssh_server.cut()
        assert running.exception(30)
    assert remote.run("f0-13", "echo back").output == "back\n"


def test_closing_ends_commands_that_still_run(remote: Remote, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(remote.run, "f0-13", hanging(tmp_path / "started"))
        assert wait_until((tmp_path / "started").exists, 30)
        remote.close()
        with pytest.raises(LabError, match="f0-13 is not reachable over SSH"):
            running.result(30)


def test_ctrl_c_ends_commands_on_all_hosts(remote: Remote, ssh_server: SshServer, tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_until(lambda: len(list(tmp_path.glob("started.*"))) == len(HOSTS), 30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        remote.run_everywhere(HOSTS, hanging(tmp_path / "started.$$"))
    pressing.join()
    assert len(ssh_server.connections) == len(HOSTS)


def test_a_host_that_does_not_listen_is_an_error(tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host f0-*\n  HostName 127.0.0.1\n  Port 1\n  User vagrant\n")
    with Remote(config) as remote, pytest.raises(LabError) as raised:
        remote.run("f0-14", "true")
    assert raised.value.code == "host-unreachable"
    assert str(raised.value.message).startswith("f0-14 is not reachable over SSH (")
    assert str(raised.value.hint) == "See the state of the host: invoke lab.status"


def test_without_hosts_the_error_is_the_same(tmp_path: Path) -> None:
    with Remote(tmp_path / "ssh_config") as remote, pytest.raises(LabError) as raised:
        remote.run("f0-14.invalid", "true")
    assert raised.value.code == "host-unreachable"


def test_results_are_in_the_order_of_the_hosts(remote: Remote) -> None:
    assert remote.run_everywhere(HOSTS, "echo hello") == [CommandResult(host, 0, "hello\n") for host in HOSTS]


def test_no_hosts_have_no_results(remote: Remote) -> None:
    assert remote.run_everywhere([], "true") == []


def test_a_file_is_written_exactly_as_given(remote: Remote, tmp_path: Path, program: Program) -> None:
    program("sudo", 'exec "$@"')
    target = tmp_path / "made/on the way/unit.service"
    assert [result.status for result in remote.write(["f0-13"], str(target), CONTENT)] == [0]
    assert target.read_text() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_file_replaces_a_longer_one(remote: Remote, tmp_path: Path, program: Program) -> None:
    program("sudo", 'exec "$@"')
    (tmp_path / "file").write_text("longer than that\n")
    remote.write(["f0-13"], str(tmp_path / "file"), "short\n")
    assert (tmp_path / "file").read_text() == "short\n"
