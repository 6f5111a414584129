"""Whatever happens, nothing of ours stays behind, and the next try starts cleanly."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.engine.docker_client import connect
from labs.engine.hosts.access import Access
from labs.engine.hosts.docker.engine import Engine
from labs.engine.session import Session
from labs.engine.waiting import wait_until
from tests.course.conftest import REPO

INVOKE = Path(sys.executable).with_name("invoke")


@pytest.fixture
def clean(session: Session) -> Iterator[Session]:
    session.down()
    yield session
    session.down()


@pytest.fixture
def access(session: Session) -> Access:
    return Access(session.workspace, session.topology.domain)


def traces(session: Session) -> dict[str, object]:
    """Everything of this workspace that can be found on the machine, but for the grade record, which stays."""
    engine = Engine(connect(), session.workspace.name)
    mine = str(session.workspace.root).encode()
    processes = [pid for pid in Path("/proc").glob("[0-9]*") if pid.name != str(os.getpid()) and mine in _command(pid)]
    return {
        "containers": list(engine.containers()),
        "networks": [network.name for network in engine.networks()],
        "bridge": Path(f"/sys/class/net/{session.workspace.name}").exists(),
        "files": session.workspace.root.exists(),
        "sockets": Access(session.workspace, "").control_folder.exists(),
        "processes": [_command(pid) for pid in processes],
    }


NOTHING = {"containers": [], "networks": [], "bridge": False, "files": False, "sockets": False, "processes": []}


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _answers(session: Session) -> bool:
    """Whether an API server takes connections on this machine's loopback."""
    state = session.workspace.readable_state()
    port = state.ports.get("f0-13", {}).get("api", 0) if state else 0
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _volumes() -> set[str]:
    return {volume.name for volume in connect().volumes.list()}


def _start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([INVOKE, *words], cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_down_leaves_nothing(clean: Session) -> None:
    volumes = _volumes()
    clean.up("flannel")
    clean.solve("flannel")
    subprocess.run(["ssh", "-F", clean.workspace.ssh_config, "f0-13", "true"], check=True)
    clean.down()
    assert traces(clean) == NOTHING
    assert _volumes() == volumes


def test_down_with_nothing_up_is_harmless(clean: Session) -> None:
    clean.down()
    assert traces(clean) == NOTHING


@pytest.mark.parametrize("stage", ["network", "first host", "API server"])
def test_ctrl_c_during_up_leaves_nothing_and_up_works_afterwards(clean: Session, engine: Engine, stage: str) -> None:
    reached = {
        "network": lambda: bool(engine.networks()),
        "first host": lambda: bool(engine.containers()),
        "API server": lambda: _answers(clean),
    }[stage]
    process = _start("lab.up", "flannel")
    assert wait_until(reached, 60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
    assert traces(clean) == NOTHING
    clean.up("flannel")
    assert clean.running == "flannel"


def test_up_recovers_from_a_run_that_was_killed(clean: Session, engine: Engine) -> None:
    process = _start("lab.up", "flannel")
    assert wait_until(lambda: bool(engine.containers()), 60)
    process.kill()
    process.communicate()
    assert clean.running is None
    clean.up("flannel")
    assert clean.running == "flannel"


def test_two_at_once_do_not_get_in_each_others_way(clean: Session, engine: Engine) -> None:
    first = _start("lab.up", "flannel")
    assert wait_until(lambda: bool(engine.containers()), 60)
    second = _start("lab.reset")
    _, said = second.communicate(timeout=60)
    first.communicate(timeout=180)
    assert (first.returncode, second.returncode) == (0, 2)
    assert b"Another task is already running in this workspace." in said


def test_ctrl_c_does_not_wait_for_what_runs_on_the_hosts(clean: Session) -> None:
    clean.up("flannel")
    script = (
        "from pathlib import Path; from labs.engine.hosts.remote import Remote\n"
        f"with Remote(Path({str(clean.workspace.ssh_config)!r})) as remote:\n"
        "    remote.run_everywhere(['f0-13', 'f0-14'], 'touch /tmp/begun; sleep 120')"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=REPO, stderr=subprocess.PIPE)
    ssh = ["ssh", "-F", str(clean.workspace.ssh_config), "f0-14", "test -e /tmp/begun"]
    assert wait_until(lambda: subprocess.run(ssh).returncode == 0, 30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said


def test_ctrl_c_during_a_check_ends_it_quietly(clean: Session, access: Access) -> None:
    clean.up("flannel")
    process = _start("lab.check", "flannel", "--watch")
    assert wait_until(lambda: any(access.control_folder.iterdir()), 30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
