"""Hosts by SSH: what is the learner's matter, and what is not."""

import threading
from pathlib import Path

import pytest

from checks.connection import SESSIONS, HostUnreachable
from tests.checks.conftest import Ssh

COUNTING = """
[ "$line" = true ] && exit 0
mkdir "{folder}/$$"; ls "{folder}" | wc -l >> "{folder}.counts"; sleep 0.05; rmdir "{folder}/$$"
"""


def test_a_command_runs_on_its_host(ssh: Ssh) -> None:
    assert ssh('echo "$host: $line"')["f0-14"].run("hostname").stdout == "f0-14: hostname\n"


def test_a_silent_host_is_an_error(ssh: Ssh) -> None:
    hosts = ssh("exit 255")
    with pytest.raises(HostUnreachable) as raised:
        _ = hosts["f0-14"]
    assert (raised.value.code, str(raised.value)) == ("host-unreachable", "f0-14 does not answer over SSH.")


def test_a_command_that_exits_with_255_is_no_silent_host(ssh: Ssh) -> None:
    assert ssh('[ "$line" = true ] || exit 255')["f0-14"].run("false").rc == 255


def test_a_host_that_falls_silent_is_an_error(ssh: Ssh, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    alive.touch()
    host = ssh(f'[ -e "{alive}" ] || exit 255')["f0-14"]
    alive.unlink()
    with pytest.raises(HostUnreachable):
        host.run("true")


def test_a_host_is_contacted_once_however_many_ask(ssh: Ssh, tmp_path: Path) -> None:
    hosts = ssh(f'echo "$line" >> "{tmp_path}/contacts"')
    threads = [threading.Thread(target=hosts.__getitem__, args=["f0-14"]) for _ in range(8)]
    list(map(threading.Thread.start, threads))
    list(map(threading.Thread.join, threads))
    assert (tmp_path / "contacts").read_text() == "true\n"


def test_a_host_never_has_more_sessions_than_sshd_allows(ssh: Ssh, tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    host = ssh(COUNTING.format(folder=folder))["f0-14"]
    threads = [threading.Thread(target=host.run, args=["work"]) for _ in range(3 * SESSIONS)]
    list(map(threading.Thread.start, threads))
    list(map(threading.Thread.join, threads))
    counts = [int(count) for count in Path(f"{folder}.counts").read_text().split()]
    assert max(counts) <= SESSIONS
    assert len(counts) == 3 * SESSIONS
