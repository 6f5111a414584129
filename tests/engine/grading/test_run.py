"""Grading: what checks find becomes the four results, with evidence in the learner's words."""

import os
import shutil
import stat
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.catalog import Lab, Needs, Objective, Text
from labs.engine.errors import LabError
from labs.engine.grading.run import Report, grade

REPO = Path(__file__).parents[3]
Grade = Callable[..., Report]

CHECKS = """
import pytest

@pytest.mark.objective("reachable")
def test_the_pod_answers():
    {reachable}

@pytest.mark.objective("address")
def test_the_pod_keeps_its_address():
    {address}
"""


def lab(*objectives: Objective) -> Lab:
    return Lab(
        id="demo",
        title=Text(en="Demo", zh="示范"),
        summary=Text(en="A lab.", zh="一个实验。"),
        minutes=5,
        needs=Needs(components=[]),
        objectives=list(objectives),
        faults=[],
        path=Path("labs/demo"),
    )


def objective(id: str, points: int = 10, after: tuple[str, ...] = (), wait: float = 0) -> Objective:
    return Objective(
        id=id,
        title=Text(en=f"the {id}", zh=f"目标 {id}"),
        points=points,
        after=list(after),
        hints=[Text(en=f"hint for {id}", zh=f"提示 {id}"), Text(en="more", zh="更多")],
        wait=wait,
    )


DEMO = lab(objective("reachable", 40), objective("address", 60, after=("reachable",)))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "checks" / "demo").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def check(repo: Path) -> Callable[[str], None]:
    def write(source: str) -> None:
        (repo / "checks/demo/test_demo.py").write_text(source)

    return write


@pytest.fixture
def graded(repo: Path, check: Callable[[str], None]) -> Callable[..., Report]:
    def run(reachable: str = "pass", address: str = "pass", **options: object) -> Report:
        check(CHECKS.format(reachable=reachable, address=address))
        return grade(DEMO, repo, repo / "ssh_config", **options)  # type: ignore[arg-type]

    return run


def results(report: Report) -> dict[str, str]:
    return {one.id: one.result for one in report.objectives}


def test_all_points_when_every_check_holds(graded: Grade) -> None:
    report = graded()
    assert results(report) == {"reachable": "passed", "address": "passed"}
    assert (report.points, report.max_points, report.exit_code) == (100, 100, 0)


def test_a_failed_assert_is_the_evidence(graded: Grade) -> None:
    report = graded(address="seen = 3; assert seen == 4, f'The pod sees {seen}.'")
    assert results(report) == {"reachable": "passed", "address": "failed"}
    assert report.objectives[1].evidence == "The pod sees 3."
    assert (report.points, report.exit_code) == (40, 1)


def test_pytest_fail_is_a_failed_assert_too(graded: Grade) -> None:
    report = graded(address="pytest.fail('No answer.')")
    assert (report.objectives[1].result, report.objectives[1].evidence) == ("failed", "No answer.")


def test_what_comes_after_a_failed_objective_is_blocked_and_not_run(graded: Grade, repo: Path) -> None:
    report = graded(reachable="assert False, 'No answer.'", address=f"open({str(repo / 'ran')!r}, 'w')")
    assert results(report) == {"reachable": "failed", "address": "blocked"}
    assert report.objectives[1].evidence == "First: the reachable"
    assert not (repo / "ran").exists()


def test_what_comes_after_an_error_is_blocked_and_the_error_decides_the_exit_code(graded: Grade) -> None:
    report = graded(reachable="raise OSError('broken pipe')")
    assert results(report) == {"reachable": "error", "address": "blocked"}
    assert report.exit_code == 2


def test_any_other_exception_is_an_error_of_the_grader(graded: Grade) -> None:
    report = graded(address="{}['status']")
    assert (report.objectives[1].result, report.objectives[1].evidence) == ("error", "KeyError: 'status'")


def test_a_lab_error_is_told_as_it_is(graded: Grade) -> None:
    report = graded(address="from labs.engine.errors import LabError; raise LabError('f0-14 is silent.', 'Wake it.')")
    assert (report.objectives[1].result, report.objectives[1].evidence) == ("error", "f0-14 is silent. Wake it.")


def test_a_skipped_check_proves_nothing(graded: Grade) -> None:
    assert graded(address="pytest.skip('not today')").objectives[1].result == "error"


def test_an_objective_without_a_check_is_an_error(repo: Path, check: Callable[[str], None]) -> None:
    check("import pytest\n@pytest.mark.objective('reachable')\ndef test_it(): pass\n")
    report = grade(DEMO, repo, repo / "ssh_config")
    assert results(report) == {"reachable": "passed", "address": "error"}
    assert report.objectives[1].evidence == "checks/demo has no check of this objective."


@pytest.mark.parametrize(
    ("second", "third", "result", "evidence"),
    [
        ("pass", "pass", "passed", ""),
        ("assert False, 'two'", "assert False, 'three'", "failed", "two"),
        ("assert False, 'two'", "raise OSError('three')", "error", "OSError: three"),
    ],
)
def test_the_worst_of_several_checks_decides(
    repo: Path, check: Callable[[str], None], second: str, third: str, result: str, evidence: str
) -> None:
    check(f"""
import pytest
pytestmark = pytest.mark.objective("reachable")
def test_one(): pass
def test_two(): {second}
def test_three(): {third}
""")
    (found,) = grade(lab(objective("reachable")), repo, repo / "ssh_config").objectives
    assert (found.result, found.evidence) == (result, evidence)


def test_a_failing_fixture_keeps_the_meaning_of_its_exception(repo: Path, check: Callable[[str], None]) -> None:
    check("""
import pytest
@pytest.fixture
def address(): assert False, "The pod has no address."
@pytest.fixture
def host(): raise OSError("gone")
@pytest.mark.objective("reachable")
def test_address(address): pass
@pytest.mark.objective("other")
def test_host(host): pass
""")
    report = grade(lab(objective("reachable"), objective("other")), repo, repo / "ssh_config")
    assert results(report) == {"reachable": "failed", "other": "error"}
    assert report.objectives[0].evidence == "The pod has no address."


TRIES = """
import pytest
from pathlib import Path
TRIES = Path({folder!r}) / "tries"

@pytest.fixture(scope="session")
def tries():
    TRIES.open("a").write("x")
    return len(TRIES.read_text())

@pytest.mark.objective("reachable")
def test_the_pod_answers(tries):
    assert tries >= {enough}, f"No answer at try {{tries}}."
"""


def test_a_failing_check_is_tried_again_with_fresh_eyes(repo: Path, check: Callable[[str], None]) -> None:
    check(TRIES.format(folder=str(repo), enough=3))
    report = grade(lab(objective("reachable", wait=20)), repo, repo / "ssh_config")
    assert results(report) == {"reachable": "passed"}


def test_waiting_ends_at_its_limit_with_the_last_evidence(repo: Path, check: Callable[[str], None]) -> None:
    check(TRIES.format(folder=str(repo), enough=1000))
    report = grade(lab(objective("reachable", wait=0.6)), repo, repo / "ssh_config")
    assert results(report) == {"reachable": "failed"}
    assert report.objectives[0].evidence == f"No answer at try {len((repo / 'tries').read_text())}."
    assert 0.6 <= report.objectives[0].seconds < 5


def test_an_error_is_not_waited_for(repo: Path, check: Callable[[str], None]) -> None:
    check("import pytest\n@pytest.mark.objective('reachable')\ndef test_it(): raise OSError('gone')\n")
    start = time.monotonic()
    grade(lab(objective("reachable", wait=60)), repo, repo / "ssh_config")
    assert time.monotonic() - start < 30


def test_a_blocked_objective_is_not_waited_for(repo: Path, check: Callable[[str], None]) -> None:
    check(CHECKS.format(reachable="assert False", address="pass"))
    start = time.monotonic()
    waiting = lab(objective("reachable"), objective("address", after=("reachable",), wait=60))
    assert results(grade(waiting, repo, repo / "ssh_config")) == {"reachable": "failed", "address": "blocked"}
    assert time.monotonic() - start < 30


def test_only_grades_what_is_asked_for_whatever_it_comes_after(graded: Grade) -> None:
    report = graded(reachable="assert False", only=["address"])
    assert results(report) == {"address": "passed"}
    assert report.max_points == 60


def test_only_suggests_the_nearest_objective(graded: Grade) -> None:
    with pytest.raises(LabError) as raised:
        graded(only=["adress"])
    assert raised.value.message == "There is no objective 'adress' in the lab 'demo'. Did you mean 'address'?"


def test_objectives_come_in_the_order_of_the_lab_not_of_the_file(graded: Grade, repo: Path) -> None:
    turned = lab(objective("address"), objective("reachable"))
    graded()
    assert list(results(grade(turned, repo, repo / "ssh_config"))) == ["address", "reachable"]


def test_titles_and_hints_are_in_the_learners_language(graded: Grade) -> None:
    report = graded(reachable="assert False, 'No answer.'", lang="zh")
    assert (report.objectives[0].title, report.objectives[0].hint) == ("目标 reachable", "提示 reachable")
    assert report.objectives[1].evidence == "请先完成：目标 reachable"


def test_a_passed_objective_has_no_hint(graded: Grade) -> None:
    assert graded().objectives[0].hint == ""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere\n", "checks/demo/test_demo.py: ModuleNotFoundError: No module named 'nowhere'"),
        ("def test_it(): pass\n", "checks/demo/test_demo.py::test_it has no @pytest.mark.objective"),
        (
            "import pytest\n@pytest.mark.objective('adress')\ndef test_it(): pass\n",
            "checks/demo/test_demo.py::test_it is marked 'adress', which is no objective of the lab."
            " Did you mean 'address'?",
        ),
    ],
    ids=["does not load", "no marker", "unknown marker"],
)
def test_checks_with_a_mistake_grade_nobody(
    repo: Path, check: Callable[[str], None], source: str, message: str
) -> None:
    check(source)
    with pytest.raises(LabError) as raised:
        grade(DEMO, repo, repo / "ssh_config")
    assert raised.value.message == f"The checks of the lab 'demo' cannot be run:\n{message}"


def test_a_broken_conftest_grades_nobody(graded: Grade, repo: Path) -> None:
    (repo / "checks/conftest.py").write_text("import nowhere\n")
    with pytest.raises(LabError, match="No module named 'nowhere'"):
        graded()


def test_ctrl_c_goes_through(graded: Grade) -> None:
    with pytest.raises(KeyboardInterrupt):
        graded(address="raise KeyboardInterrupt")


def test_nothing_is_printed(graded: Grade, capfd: pytest.CaptureFixture[str]) -> None:
    graded(reachable="print('noise')", address="assert False, 'x'")
    assert capfd.readouterr() == ("", "")


def test_the_callers_interpreter_is_left_as_it_was(graded: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    before = (list(sys.meta_path), list(sys.path), set(sys.modules) & {"checks", "conftest"})
    graded()
    assert (list(sys.meta_path), list(sys.path), set(sys.modules) & {"checks", "conftest"}) == before
    assert os.environ["PYTEST_ADDOPTS"] == "--no-such-option"


def test_two_runs_in_one_process_each_see_their_own_state(graded: Grade) -> None:
    assert graded(reachable="assert False, 'not yet'").exit_code == 1
    assert graded(reachable="assert 'a longer file than before'").exit_code == 0


def test_a_newer_report_replaces_what_it_graded_again(graded: Grade) -> None:
    first = graded(address="assert False, 'not yet'")
    assert first.open == ("address",)
    assert first.updated(graded(only=first.open)).exit_code == 0


def test_junit_tells_failed_blocked_and_error_apart(repo: Path, check: Callable[[str], None]) -> None:
    check(
        CHECKS.format(reachable="assert 1 == 2, 'No answer.'", address="pass")
        + """
@pytest.mark.objective("other")
def test_other(): raise OSError("gone")
"""
    )
    junit = repo / "out" / "junit.xml"
    tested = lab(objective("reachable"), objective("address", after=("reachable",)), objective("other"))
    grade(tested, repo, repo / "ssh_config", junit=junit)
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.get("name") == "demo"
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["skipped"], ["error"]]
    assert suite[0][0].get("message") == "No answer."


@pytest.mark.parametrize("place", ["checks", "checks/demo/test_demo.py/junit.xml"], ids=["a folder", "below a file"])
def test_a_junit_file_that_cannot_be_written_is_said_plainly(graded: Grade, repo: Path, place: str) -> None:
    with pytest.raises(LabError, match="cannot be written"):
        graded(junit=repo / place)


def test_the_report_as_data_has_the_documented_keys(graded: Grade) -> None:
    data = graded().to_dict()
    assert list(data) == ["lab", "points", "max_points", "seconds", "objectives"]
    assert list(data["objectives"][0]) == [
        "id",
        "title",
        "result",
        "points",
        "max_points",
        "evidence",
        "hint",
        "seconds",
    ]


@pytest.fixture
def fake_ssh(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of ssh; the repo gets the real fixtures."""
    for name in ("conftest.py", "side_by_side.py"):
        shutil.copy(REPO / "checks" / name, repo / "checks" / name)
    (repo / "ssh_config").touch()
    ssh = repo / "bin" / "ssh"
    ssh.parent.mkdir()
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")

    def write(script: str) -> None:
        ssh.write_text(f"#!/bin/sh\nfor last; do :; done\n{script}\n")
        ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)

    return write


HOSTS = """
import pytest
@pytest.mark.objective("reachable")
def test_host(f0_14):
    assert f0_14.run("hostname").stdout == "f0-14"
@pytest.mark.objective("other")
def test_cluster(cluster):
    assert cluster.get_pod("kube-system", "probe-f0-13")["status"]["podIP"] == "172.7.13.2"
"""
ON_HOSTS = lab(objective("reachable"), objective("other"))


def test_a_silent_host_is_an_error_said_plainly(
    repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]
) -> None:
    check(HOSTS)
    fake_ssh("exit 255")
    report = grade(ON_HOSTS, repo, repo / "ssh_config")
    assert results(report) == {"reachable": "error", "other": "error"}
    assert report.objectives[0].evidence == "f0-14 does not answer over SSH. `invoke lab.status` shows its state."


def test_a_command_that_ends_with_255_is_no_silent_host(
    repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]
) -> None:
    check(HOSTS)
    fake_ssh('[ "$last" = true ] || exit 255')
    assert results(grade(ON_HOSTS, repo, repo / "ssh_config", only=["reachable"])) == {"reachable": "failed"}


def test_a_silent_api_is_an_error(repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]) -> None:
    check(HOSTS)
    fake_ssh('[ "$last" = true ] || { echo "connection refused" >&2; exit 1; }')
    (found,) = grade(ON_HOSTS, repo, repo / "ssh_config", only=["other"]).objectives
    assert (found.result, found.evidence[:48]) == ("error", "The cluster's API answers neither on f0-13 nor o")


def test_the_second_control_plane_host_is_asked_when_the_first_is_silent(
    repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]
) -> None:
    check(HOSTS)
    fake_ssh("""case "$*" in *" f0-13 "*) exit 255;; *"get pod"*) echo '{"status": {"podIP": "172.7.13.2"}}';; esac""")
    assert results(grade(ON_HOSTS, repo, repo / "ssh_config", only=["other"])) == {"other": "passed"}


def test_a_missing_object_is_the_learners_matter(
    repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]
) -> None:
    check(HOSTS)
    fake_ssh('case "$last" in *"get pod"*) echo "Error from server (NotFound): pods" >&2; exit 1;; esac')
    (found,) = grade(ON_HOSTS, repo, repo / "ssh_config", only=["other"]).objectives
    assert (found.result, found.evidence) == (
        "failed",
        "There is no pod probe-f0-13 in the namespace kube-system.",
    )


def test_without_hosts_the_way_to_get_them_is_said(
    repo: Path, check: Callable[[str], None], fake_ssh: Callable[[str], None]
) -> None:
    check(HOSTS)
    report = grade(ON_HOSTS, repo, repo / "nowhere")
    assert report.objectives[0].evidence == "There are no hosts. `invoke lab.up ID` brings them up."
