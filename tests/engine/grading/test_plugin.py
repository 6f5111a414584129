"""What checks find becomes the four results, with evidence in the learner's words."""

import pytest

from labs.engine.errors import LabError
from tests.engine.grading.conftest import CHECKS, DEMO, Grade, Write, evidence, lab, objective, results


def test_all_points_when_every_check_holds(graded: Grade) -> None:
    report = graded()
    assert results(report) == {"reachable": "passed", "address": "passed"}
    assert (report.points, report.max_points, report.exit_code) == (100, 100, 0)


def test_a_failed_assert_is_the_evidence(graded: Grade) -> None:
    report = graded(address="seen = 3; assert seen == 4, f'The pod sees {seen}.'")
    assert results(report) == {"reachable": "passed", "address": "failed"}
    assert evidence(report.objectives[1]) == "The pod sees 3."
    assert (report.points, report.exit_code) == (40, 1)


def test_evidence_is_in_both_languages(graded: Grade) -> None:
    asserted = "from labs.engine.messages import _; assert False, _('First: {title}', title='x')"
    report = graded(reachable=asserted)
    assert (evidence(report.objectives[0]), report.objectives[0].evidence.of("zh")) == ("First: x", "请先完成：x")


def test_pytest_fail_is_a_failed_assert_too(graded: Grade) -> None:
    result = graded(address="pytest.fail('No answer.')").objectives[1]
    assert (result.result, evidence(result)) == ("failed", "No answer.")


def test_what_comes_after_a_failed_objective_is_blocked(graded: Grade) -> None:
    report = graded(reachable="assert False, 'No answer.'", address="assert False, 'it ran'")
    assert results(report) == {"reachable": "failed", "address": "blocked"}
    assert evidence(report.objectives[1]) == "First: the reachable"


def test_what_comes_after_an_error_is_blocked_and_the_error_decides_the_exit_code(graded: Grade) -> None:
    report = graded(reachable="raise OSError('broken pipe')")
    assert results(report) == {"reachable": "error", "address": "blocked"}
    assert report.exit_code == 2


def test_any_other_exception_is_an_error_of_the_grader(graded: Grade) -> None:
    result = graded(address="{}['status']").objectives[1]
    assert (result.result, evidence(result)) == ("error", "KeyError: 'status'")


def test_a_lab_error_is_reported_with_its_advice(graded: Grade) -> None:
    raised = (
        "from labs.engine.errors import LabError; raise LabError('host-unreachable', 'f0-14 is silent.', 'Wake it.')"
    )
    result = graded(address=raised).objectives[1]
    assert (result.result, evidence(result)) == ("error", "f0-14 is silent. Wake it.")


def test_a_skipped_check_proves_nothing(graded: Grade) -> None:
    assert graded(address="pytest.skip('not today')").objectives[1].result == "error"


@pytest.mark.parametrize(
    ("second", "third", "result", "said"),
    [
        ("pass", "pass", "passed", ""),
        ("assert False, 'two'", "assert False, 'three'", "failed", "two"),
        ("assert False, 'two'", "raise OSError('three')", "error", "OSError: three"),
    ],
)
def test_the_worst_of_several_checks_decides(
    check: Write, run: Grade, second: str, third: str, result: str, said: str
) -> None:
    check(f"""
import pytest
pytestmark = pytest.mark.objective("reachable")
def test_one(): pass
def test_two(): {second}
def test_three(): {third}
""")
    (found,) = run(lab(objective("reachable"))).objectives
    assert (found.result, evidence(found)) == (result, said)


@pytest.mark.parametrize("scope", ["function", "session"])
def test_a_failing_fixture_keeps_the_meaning_of_its_exception(check: Write, run: Grade, scope: str) -> None:
    check(f"""
import pytest
@pytest.fixture(scope="{scope}")
def address(): assert False, "The pod has no address."
@pytest.fixture(scope="{scope}")
def host(): raise OSError("gone")
@pytest.mark.objective("reachable")
def test_address(address): pass
@pytest.mark.objective("other")
def test_host(host): pass
""")
    report = run(lab(objective("reachable"), objective("other")))
    assert results(report) == {"reachable": "failed", "other": "error"}
    assert evidence(report.objectives[0]) == "The pod has no address."


def test_objectives_come_in_the_order_of_the_lab_not_of_the_file(graded: Grade, run: Grade) -> None:
    graded()
    assert list(results(run(lab(objective("address"), objective("reachable"))))) == ["address", "reachable"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere\n", "checks/demo/test_demo.py: ModuleNotFoundError: No module named 'nowhere'"),
        ("def test_it(): pass\n", "checks/demo/test_demo.py::test_it has no @pytest.mark.objective"),
        (
            "import pytest\n@pytest.mark.objective('adress')\ndef test_it(): pass\n",
            "checks/demo/test_demo.py::test_it is marked 'adress', an unknown objective. Did you mean 'address'?",
        ),
        ("import pytest\n@pytest.mark.objective('reachable')\ndef test_it(): pytest.exit('enough')\n", "enough"),
    ],
    ids=["does not load", "no marker", "unknown marker", "ends the run"],
)
def test_with_checks_that_have_a_mistake_nothing_is_graded(check: Write, run: Grade, source: str, message: str) -> None:
    check(source)
    with pytest.raises(LabError) as raised:
        run(DEMO)
    assert (raised.value.code, str(raised.value)) == (
        "grader",
        f"The checks of the lab 'demo' can't be run:\n{message}",
    )


def test_checks_and_their_plugin_agree_on_the_marker(check: Write, run: Grade) -> None:
    check(CHECKS.format(reachable="pass", address="pass"))
    assert run(only=["reachable"]).max_points == 40
