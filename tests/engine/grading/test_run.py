"""Grading in a process of its own: what the caller gets, whatever happens to the grader."""

import os
import shlex
import sys
import threading
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from labs.engine.errors import LabError
from labs.engine.events import Event, Events, Graded
from labs.engine.waiting import wait_until
from tests.engine.grading.conftest import CHECKS, DEMO, Grade, Write, evidence, lab, objective, results

STREAMED = """
import pytest
import time
from pathlib import Path
HEARD = Path({heard!r})

@pytest.fixture(scope="session")
def heard():
    for _ in range(200):
        if HEARD.exists():
            return True
        time.sleep(0.1)
    return False

@pytest.mark.objective("reachable")
def test_first(): pass

@pytest.mark.objective("address")
def test_second(heard): assert heard, "The first result did not come while this one was waited for."
"""


def graders() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "labs.engine.grading" in child.cmdline()]


def test_an_objective_without_a_check_is_an_error(check: Write, run: Grade) -> None:
    check("import pytest\n@pytest.mark.objective('reachable')\ndef test_it(): pass\n")
    report = run()
    assert results(report) == {"reachable": "passed", "address": "error"}
    assert evidence(report.objectives[1]) == "checks/demo has no check of this objective."


def test_only_suggests_the_nearest_objective(graded: Grade) -> None:
    with pytest.raises(LabError) as raised:
        graded(only=["adress"])
    assert str(raised.value) == "There is no objective 'adress' in the lab 'demo'. Did you mean 'address'?"


def test_each_objective_is_emitted_as_soon_as_it_is_known(check: Write, run: Grade, repo: Path) -> None:
    check(STREAMED.format(heard=str(repo / "heard")))
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        (repo / "heard").touch()

    assert set(results(run(events=Events(hear))).values()) == {"passed"}
    assert events == [Graded("demo", "reachable", "passed"), Graded("demo", "address", "passed")]


def test_a_grader_that_takes_too_long_is_ended_and_what_is_missing_is_an_error(check: Write, run: Grade) -> None:
    check(CHECKS.format(reachable="pass", address="import threading; threading.Event().wait()"))
    report = run(deadline=8)
    assert results(report) == {"reachable": "passed", "address": "error"}
    assert evidence(report.objectives[1]) == "The grader did not finish within 8 s."
    assert graders() == []


@pytest.mark.parametrize(
    "death", ["import os; os._exit(1)", "import os; os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"]
)
def test_a_grader_that_dies_is_an_error_and_never_the_learners_failure(graded: Grade, death: str) -> None:
    report = graded(address=death)
    assert results(report) == {"reachable": "passed", "address": "error"}
    assert evidence(report.objectives[1]).startswith("The grader stopped unexpectedly.")


def test_ctrl_c_ends_the_grader(graded: Grade) -> None:
    def interrupt(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graded(address="import threading; threading.Event().wait()", events=Events(interrupt))
    assert graders() == []


def test_what_a_check_started_ends_with_the_grader(graded: Grade, repo: Path) -> None:
    started = f"import subprocess; open({str(repo / 'pid')!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))"
    graded(reachable=started)
    pid = int((repo / "pid").read_text())
    assert wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10)


def test_two_gradings_at_once_do_not_meet(check: Write, run: Grade) -> None:
    check(CHECKS.format(reachable="pass", address="assert False, 'No.'"))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: run(), range(2))
    assert results(first) == results(second) == {"reachable": "passed", "address": "failed"}


def test_the_users_python_and_pytest_settings_change_nothing(graded: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    assert results(graded(reachable="assert False, 'No.'")) == {"reachable": "failed", "address": "blocked"}


def test_the_callers_interpreter_is_left_as_it_was(graded: Grade) -> None:
    before = (list(sys.meta_path), list(sys.path), dict(os.environ), set(sys.modules) & {"checks", "conftest"})
    graded()
    assert (list(sys.meta_path), list(sys.path), dict(os.environ), set(sys.modules) & {"checks", "conftest"}) == before


def test_nothing_is_printed(graded: Grade, capfd: pytest.CaptureFixture[str]) -> None:
    graded(reachable="print('noise')", address="assert False, 'x'")
    assert capfd.readouterr() == ("", "")


def test_a_broken_conftest_is_a_problem_of_the_checks(graded: Grade, repo: Path) -> None:
    (repo / "checks/conftest.py").write_text("import nowhere\n")
    with pytest.raises(LabError) as raised:
        graded()
    assert raised.value.code == "grader"
    assert str(raised.value).endswith("ModuleNotFoundError: No module named 'nowhere'")


@pytest.mark.parametrize("name", ["with space", "per%cent", "中文", "quote'd"])
def test_the_course_may_lie_in_any_folder(check: Write, repo: Path, run: Grade, name: str) -> None:
    from labs.engine.grading.run import grade

    place = repo / name
    (place / "checks/demo").mkdir(parents=True)
    (place / "checks/demo/test_demo.py").write_text(CHECKS.format(reachable="pass", address="pass"))
    assert grade(DEMO, place, place / "ssh_config", Events()).exit_code == 0, shlex.quote(name)


def test_junit_tells_failed_blocked_and_error_apart(check: Write, run: Grade, repo: Path) -> None:
    check(
        CHECKS.format(reachable="assert 1 == 2, 'No answer.'", address="pass")
        + """
@pytest.mark.objective("other")
def test_other(): raise OSError("gone")
"""
    )
    junit = repo / "out" / "junit.xml"
    run(lab(objective("reachable"), objective("address", after=("reachable",)), objective("other")), junit=junit)
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.get("name") == "demo"
    found = {case.get("name"): [child.tag for child in case] for case in suite}
    assert found == {
        "test_the_pod_answers": ["failure"],
        "test_the_pod_keeps_its_address": ["skipped"],
        "test_other": ["error"],
    }


def test_junit_has_the_last_try_only(check: Write, run: Grade, repo: Path) -> None:
    tried = repo / "tried"
    check(f"""
import pytest
from pathlib import Path
@pytest.mark.objective("reachable")
def test_it():
    tried = Path({str(tried)!r})
    tries = len(tried.read_text()) if tried.exists() else 0
    tried.write_text("x" * (tries + 1))
    assert tries
""")
    run(lab(objective("reachable", wait=20)), junit=repo / "junit.xml")
    (case,) = ElementTree.parse(repo / "junit.xml").getroot()[0]
    assert list(case) == []


@pytest.mark.parametrize("place", ["checks", "checks/demo/test_demo.py/junit.xml"], ids=["a folder", "below a file"])
def test_a_junit_file_that_can_not_be_written_is_an_error_before_anything_runs(
    graded: Grade, repo: Path, place: str
) -> None:
    with pytest.raises(LabError) as raised:
        graded(junit=repo / place)
    assert raised.value.code == "result-file"


def test_a_grading_can_run_in_any_thread(graded: Grade) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(graded().exit_code))
    thread.start()
    thread.join()
    assert codes == [0]
