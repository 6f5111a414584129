"""Probes: fixtures that look at the hosts, evaluated once per round, and shared by everything that needs them."""

from pathlib import Path

import pytest

from tests.engine.grading.conftest import Grade, Write, lab, objective, results

COUNTED = """
import pytest
from pathlib import Path
COUNT = Path({folder!r}) / "count"

@pytest.fixture(scope="session")
def base():
    COUNT.open("a").write("x")
    return None

@pytest.fixture(scope="session")
def left(base): return "left"

@pytest.fixture(scope="session")
def right(base): return "right"

@pytest.mark.objective("reachable")
def test_left(left, base): assert (left, base) == ("left", None)

@pytest.mark.objective("address")
@pytest.mark.parametrize("side", ["right", "left"])
def test_right(right, side): assert right == "right"
"""
PYTESTS_OWN = """
import pytest

@pytest.fixture(scope="session")
def opened():
    yield "open"

@pytest.fixture(scope="session")
def asking(request): return request.config.rootpath

@pytest.fixture(scope="session", params=["one", "two"])
def each(request): return request.param

@pytest.fixture(scope="session")
def rooted(pytestconfig): return pytestconfig.rootpath

@pytest.mark.objective("reachable")
def test_it(opened, asking, rooted, each, tmp_path):
    assert opened == "open" and asking == rooted and each in ("one", "two") and tmp_path.exists()
"""


def test_a_probe_is_evaluated_once_for_all_that_need_it(check: Write, run: Grade, repo: Path) -> None:
    check(COUNTED.format(folder=str(repo)))
    assert set(results(run()).values()) == {"passed"}
    assert (repo / "count").read_text() == "x"


def test_other_fixtures_work_as_pytest_has_them(check: Write, run: Grade) -> None:
    check(PYTESTS_OWN)
    report = run(lab(objective("reachable")))
    assert results(report) == {"reachable": "passed"}, report.objectives[0].evidence.of("en")


@pytest.mark.parametrize("raised", ["OSError('gone')", "SystemExit(3)"])
def test_a_probe_that_fails_fails_what_needs_it_and_nothing_else(check: Write, run: Grade, raised: str) -> None:
    check(f"""
import pytest
@pytest.fixture(scope="session")
def base(): raise {raised}
@pytest.fixture(scope="session")
def needing(base): return base
@pytest.mark.objective("reachable")
def test_it(needing): pass
@pytest.mark.objective("other")
def test_other(): pass
""")
    assert results(run(lab(objective("reachable"), objective("other")))) == {"reachable": "error", "other": "passed"}


OVERRIDING = """
import pytest

@pytest.fixture(scope="session")
def pods(pods): return [*pods, "two"]

@pytest.fixture(scope="session")
def name(): return "a fixture may have any name"

@pytest.mark.objective("reachable")
def test_it(pods, name): assert (pods, name) == (["one", "two"], "a fixture may have any name")
"""


def test_a_fixture_may_extend_the_one_above_it(check: Write, run: Grade, repo: Path) -> None:
    (repo / "checks/conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(scope='session')\ndef pods(): return ['one']\n"
    )
    check(OVERRIDING)
    report = run(lab(objective("reachable")))
    assert results(report) == {"reachable": "passed"}, report.objectives[0].evidence.of("en")
