"""The command line: exit statuses, errors that people can read, words that may be left out. Some of it for real."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.parser.parser import ParseMachine
from invoke.program import Program as InvokeProgram

from labs.engine.errors import LabError
from labs.engine.hosts.readiness import wait_until
from labs.engine.terminal.cli import accept_absent_words, task
from tests.engine.conftest import REPO, Program

COMPLETE = ParseMachine.complete_context
Invoke = Callable[..., "subprocess.CompletedProcess[str]"]
Run = Callable[..., int]


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    """Runs `invoke` as a learner does, on a machine without a Docker engine."""

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock", "LC_ALL": "C.UTF-8", **environ}
        program = Path(sys.executable).with_name("invoke")
        return subprocess.run([program, *words], cwd=REPO, env=given, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a task that does `work`; returns the exit status."""
    monkeypatch.setattr("invoke.parser.parser.ParseMachine.complete_context", COMPLETE)
    accept_absent_words()

    def run(work: Callable[..., None], *words: str) -> int:
        @task(words=["id", "fault"])
        def attempt(_: Context, id: str, fault: str = "") -> None:
            """Try it."""
            work(id, fault)

        with pytest.raises(SystemExit) as raised:
            InvokeProgram(namespace=Collection(attempt)).run(["invoke", "attempt", *words])
            raise SystemExit(0)
        return int(raised.value.code or 0)

    return run


def fail(error: BaseException) -> Callable[..., None]:
    def work(*_: object) -> None:
        raise error

    return work


# ------------------------------------------------------------------------------------------------------------ in here


def test_a_task_that_does_its_work_ends_with_0(run: Run) -> None:
    assert run(lambda *_: None, "flannel") == 0


def test_a_lab_error_ends_with_2_and_says_what_to_do(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(LabError("There is no [lab].", "Say which.")), "flannel") == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "There is no [lab].\nSay which.\n")


def test_a_long_sentence_is_not_broken(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(fail(LabError("word " * 60)), "flannel")
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_ends_with_130_and_a_sentence(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(KeyboardInterrupt()), "flannel") == 130
    assert capsys.readouterr().err.startswith("Interrupted.")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_wherever_it_shows(run: Run, capsys: pytest.CaptureFixture[str], number: int) -> None:
    assert run(fail(OSError(number, "no room", "/var/cache/x")), "flannel") == 2
    assert capsys.readouterr().err.startswith("The disk is full (/var/cache/x).\nFree some space and try again")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), ValueError("a mistake of ours")])
def test_what_nobody_foresaw_is_not_dressed_up(run: Run, error: Exception) -> None:
    with pytest.raises(type(error)):
        run(fail(error), "flannel")


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["flannel"], ("flannel", "")), (["flannel", "lost-route"], ("flannel", "lost-route"))],
)
def test_a_word_with_a_default_may_be_left_out(run: Run, words: list[str], expected: tuple[str, str]) -> None:
    given: list[tuple[str, str]] = []
    assert run(lambda *words: given.append(words), *words) == 0
    assert given == [expected]


def test_a_word_without_a_default_may_not(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda *_: None) != 0
    assert "did not receive required positional arguments: 'id'" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------------- for real


def test_an_unknown_lab_is_told_with_the_nearest(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("lab.up", "flanel")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no lab 'flanel'. Did you mean 'flannel'?\nAvailable: ")
    assert not (tmp_path / "labs").exists()


def test_without_a_docker_engine_nothing_is_made(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("lab.up", "flannel")
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, "No Docker engine answers.")
    assert not (tmp_path / "labs").exists()


def test_checking_with_nothing_up_is_the_hosts_problem(invoke: Invoke) -> None:
    result = invoke("lab.check", "flannel")
    assert (result.returncode, result.stderr) == (2, "No lab is up.\ninvoke lab.up flannel\n")


def test_all_labs_are_graded_or_one(invoke: Invoke) -> None:
    result = invoke("lab.check", "flannel", "--all")
    assert (result.returncode, result.stderr.split(":")[0]) == (2, "--all grades every lab that is up")


def test_checking_whatever_is_up_needs_something_up(invoke: Invoke) -> None:
    assert invoke("lab.check", "--all").stderr == invoke("lab.check").stderr == "No lab is up.\ninvoke lab.up flannel\n"


def test_debug_shows_the_traceback(invoke: Invoke) -> None:
    result = invoke("--debug", "lab.up", "flanel")
    assert result.returncode != 0
    assert "Traceback (most recent call last)" in result.stderr
    assert "LabError: There is no lab 'flanel'." in result.stderr


def test_a_hint_needs_no_objective_named_but_then_hosts(invoke: Invoke) -> None:
    assert invoke("lab.hint", "flannel").stderr.startswith("No lab is up.")


def test_a_hint_for_an_objective_is_had_at_once(invoke: Invoke) -> None:
    result = invoke("lab.hint", "flannel", "routes")
    assert (result.returncode, result.stderr) == (0, "")
    assert "(1/" in result.stdout


def test_labs_are_listed_for_programs(invoke: Invoke) -> None:
    listed = json.loads(invoke("lab.list", "--json").stdout)
    assert ("flannel", 100, False) in [(one["id"], one["points"], one["up"]) for one in listed]


def test_labs_are_listed_in_the_users_language(invoke: Invoke) -> None:
    english, chinese = invoke("lab.list"), invoke("lab.list", LC_ALL="zh_CN.UTF-8")
    assert (english.returncode, chinese.returncode) == (0, 0)
    assert english.stdout != chinese.stdout


def test_the_steps_of_a_lab_are_listed_without_hosts(invoke: Invoke) -> None:
    result = invoke("lab.solve", "flannel", "--dry-run", "--until", "2")
    assert result.returncode == 0
    assert [line.split(".")[0].strip() for line in result.stdout.splitlines() if line.startswith("  ")] == ["1", "2"]


@pytest.mark.parametrize(
    ("until", "sentence"), [("two", "'two' is no whole number."), ("0", "'flannel' has steps 1 to ")]
)
def test_a_step_that_is_none_is_told(invoke: Invoke, until: str, sentence: str) -> None:
    result = invoke("lab.solve", "flannel", "--dry-run", "--until", until)
    assert (result.returncode, result.stderr.startswith(sentence)) == (2, True)


def test_ctrl_c_ends_what_goes_on(program: Program, tmp_path: Path) -> None:
    program("vagrant", f"touch {tmp_path}/started; exec sleep 60")
    process = subprocess.Popen(
        [Path(sys.executable).with_name("invoke"), "doctor"],
        cwd=REPO,
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert wait_until((tmp_path / "started").exists, 20)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err.startswith("Interrupted.")


def test_the_doctor_ends_with_2_when_something_is_wrong(invoke: Invoke) -> None:
    result = invoke("doctor", "--json")
    found = {one["name"]: one for one in json.loads(result.stdout)}
    assert (result.returncode, found["Docker engine"]["ok"]) == (2, False)
    assert found["topology.yml"]["ok"]
