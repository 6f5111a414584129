"""The command line: exit statuses, errors that people can read, optional positionals. Some of it for real."""

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
from labs.engine.messages import _, verbatim
from labs.engine.terminal.cli import allow_optional_positionals, make_task
from labs.engine.waiting import wait_until
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
    allow_optional_positionals()

    def run(work: Callable[..., None], *words: str, lang: str = "en") -> int:
        @make_task(lang, verbatim("Try it."), positional=["id", "fault"])
        def attempt(context: Context, id: str, fault: str = "", json: bool = False) -> None:
            work(id, fault)

        with pytest.raises(SystemExit) as raised:
            InvokeProgram(namespace=Collection(attempt)).run(["invoke", "attempt", *words])
            raise SystemExit(0)
        return int(raised.value.code or 0)

    return run


def fail(error: BaseException) -> Callable[..., None]:
    def work(*__: object) -> None:
        raise error

    return work


# ------------------------------------------------------------------------------------------------------------ in here


def test_a_task_that_does_its_work_ends_with_0(run: Run) -> None:
    assert run(lambda *__: None, "flannel") == 0


def test_a_lab_error_ends_with_2_and_says_what_to_do(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(LabError("usage", "There is no [lab].", "Say which.")), "flannel") == 2
    captured = capsys.readouterr()
    page = "docs/reference/troubleshooting.md#usage"
    assert (captured.out, captured.err) == ("", f"There is no [lab].\nSay which.\n{page}\n")


def test_an_error_is_in_the_language_of_the_user(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(fail(LabError("no-lab", _("No lab is up."))), "flannel", lang="zh")
    page = "docs/reference/troubleshooting.zh.md#no-lab"
    assert capsys.readouterr().err == f"没有正在运行的实验。\n{page}\n"


def test_programs_that_ask_for_json_get_errors_as_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(LabError("no-lab", _("No lab is up."))), "flannel", "--json") == 2
    captured = capsys.readouterr()
    message = {"en": "No lab is up.", "zh": "没有正在运行的实验。"}
    error = {"code": "no-lab", "message": message, "hint": {"en": "", "zh": ""}}
    assert (json.loads(captured.out), captured.err) == ({"error": error}, "")


def test_a_long_sentence_is_not_broken(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(fail(LabError("usage", "word " * 60)), "flannel")
    assert capsys.readouterr().err.count("\n") == 2


def test_ctrl_c_ends_with_130_and_a_sentence(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(KeyboardInterrupt()), "flannel") == 130
    assert capsys.readouterr().err.startswith("Interrupted.")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_reported_wherever_it_shows(run: Run, capsys: pytest.CaptureFixture[str], number: int) -> None:
    assert run(fail(OSError(number, "no room", "/var/cache/x")), "flannel") == 2
    assert capsys.readouterr().err.startswith(
        "The disk is full (/var/cache/x).\nFree some space, then run the command again"
    )


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), ValueError("a mistake of ours")])
def test_an_unforeseen_error_keeps_its_traceback(run: Run, error: Exception) -> None:
    with pytest.raises(type(error)):
        run(fail(error), "flannel")


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["flannel"], ("flannel", "")), (["flannel", "lost-route"], ("flannel", "lost-route"))],
)
def test_a_positional_with_a_default_may_be_left_out(run: Run, words: list[str], expected: tuple[str, str]) -> None:
    given: list[tuple[str, str]] = []
    assert run(lambda *words: given.append(words), *words) == 0
    assert given == [expected]


def test_a_positional_without_a_default_is_required(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda *__: None) != 0
    assert "did not receive required positional arguments: 'id'" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------------- for real


def test_an_unknown_lab_is_reported_with_the_nearest(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("lab.up", "flanel")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no lab 'flanel'. Did you mean 'flannel'?\nAvailable: ")
    assert not (tmp_path / "labs").exists()


def test_without_a_docker_engine_nothing_is_made(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("lab.up", "flannel")
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, "Cannot connect to the Docker daemon.")
    assert not (tmp_path / "labs").exists()


def test_checking_with_nothing_up_is_the_hosts_problem(invoke: Invoke) -> None:
    result = invoke("lab.check", "flannel")
    page = "docs/reference/troubleshooting.md#no-lab"
    assert (result.returncode, result.stderr) == (2, f"No lab is up.\nStart a lab: invoke lab.up flannel\n{page}\n")


def test_grading_all_labs_excludes_naming_one(invoke: Invoke) -> None:
    result = invoke("lab.check", "flannel", "--all")
    assert (result.returncode, result.stderr.split(",")[0]) == (2, "--all grades every lab that is up")


def test_checking_whatever_is_up_needs_something_up(invoke: Invoke) -> None:
    assert invoke("lab.check", "--all").stderr == invoke("lab.check").stderr
    assert invoke("lab.check").stderr.startswith("No lab is up.")


def test_debug_shows_the_traceback(invoke: Invoke) -> None:
    result = invoke("--debug", "lab.up", "flanel")
    assert result.returncode != 0
    assert "Traceback (most recent call last)" in result.stderr
    assert "LabError: There is no lab 'flanel'." in result.stderr


def test_a_hint_needs_no_objective_named_but_then_hosts(invoke: Invoke) -> None:
    assert invoke("lab.hint", "flannel").stderr.startswith("No lab is up.")


def test_a_hint_for_an_objective_needs_no_hosts(invoke: Invoke) -> None:
    result = invoke("lab.hint", "flannel", "routes")
    assert (result.returncode, result.stderr) == (0, "")
    assert "(1/" in result.stdout


def test_labs_are_listed_for_programs(invoke: Invoke) -> None:
    listed = json.loads(invoke("lab.list", "--json").stdout)
    assert ("flannel", 100, False) in [(each["id"], each["points"], each["up"]) for each in listed]


def test_labs_are_listed_in_the_users_language(invoke: Invoke) -> None:
    english, chinese = invoke("lab.list"), invoke("lab.list", LC_ALL="zh_CN.UTF-8")
    assert (english.returncode, chinese.returncode) == (0, 0)
    assert english.stdout != chinese.stdout


def test_the_steps_of_a_lab_are_listed_without_hosts(invoke: Invoke) -> None:
    result = invoke("lab.solve", "flannel", "--dry-run", "--until", "2")
    assert result.returncode == 0
    assert [line.split(".")[0].strip() for line in result.stdout.splitlines() if line.startswith("  ")] == ["1", "2"]


@pytest.mark.parametrize(
    ("until", "sentence"), [("two", '"two" is not an integer.'), ("0", "'flannel' has steps 1 to ")]
)
def test_a_step_that_does_not_exist_is_reported(invoke: Invoke, until: str, sentence: str) -> None:
    result = invoke("lab.solve", "flannel", "--dry-run", "--until", until)
    assert (result.returncode, result.stderr.startswith(sentence)) == (2, True)


def test_ctrl_c_ends_what_goes_on(program: Program, tmp_path: Path) -> None:
    program("go", f"touch {tmp_path}/started; exec sleep 60")
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
    findings = {each["name"]["en"]: each for each in json.loads(result.stdout)}
    assert (result.returncode, findings["Docker engine"]["ok"]) == (2, False)
    assert findings["Course files"]["ok"]


def test_tasks_are_described_in_the_users_language(invoke: Invoke) -> None:
    assert "Open a shell on a host." in invoke("--list").stdout
    assert "登录一台主机。" in invoke("--list", LC_ALL="zh_CN.UTF-8").stdout


@pytest.mark.parametrize("module", ["rich", "pydantic", "docker", "fabric", "babel", "pytest"])
def test_tasks_are_listed_without_loading_what_only_some_of_them_need(module: str) -> None:
    code = f"import sys, tasks; print({module!r} in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
