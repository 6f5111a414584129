"""The grader process: an order in, JSON lines out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import REPO
from tests.engine.grading.conftest import CHECKS, Write

ORDER = {
    "lab": "demo",
    "ssh_config": "none",
    "junit": None,
    "objectives": [{"id": "reachable", "after": [], "wait": 0}, {"id": "address", "after": [], "wait": 0}],
    "only": [],
}


def lines(repo: Path, *flags: str) -> list[dict[str, Any]]:
    command = [sys.executable, *flags, "-m", "labs.engine.grading"]
    order = json.dumps({**ORDER, "repo": str(repo)})
    done = subprocess.run(command, cwd=REPO, input=order, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_objective_has_a_line_and_the_last_one_says_that_all_is_done(repo: Path, check: Write) -> None:
    check(CHECKS.format(reachable="pass", address="assert False, 'No.'"))
    first, second, last = lines(repo)
    assert (first["graded"], first["result"]) == ("reachable", "passed")
    assert (second["graded"], second["result"]) == ("address", "failed")
    assert last == {"finished": []}


def test_what_checks_print_does_not_get_between_the_lines(repo: Path, check: Write) -> None:
    check(CHECKS.format(reachable="print('noise')", address="import os; os.write(1, b'more noise')"))
    assert [line.get("result") for line in lines(repo)] == ["passed", "passed", None]


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_optimised_python_grades_nothing(repo: Path, check: Write, flag: str) -> None:
    check(CHECKS.format(reachable="assert False", address="assert False"))
    (line,) = lines(repo, flag)
    assert line["error"]["code"] == "optimised-python"
