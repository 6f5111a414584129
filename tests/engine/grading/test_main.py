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
    with subprocess.Popen(
        command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as grader:
        assert grader.stdin
        assert grader.stdout
        grader.stdin.write(order + "\n")
        grader.stdin.flush()
        return [json.loads(line) for line in grader.stdout]


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


def test_it_ends_with_the_process_that_started_it(repo: Path, check: Write) -> None:
    check(CHECKS.format(reachable="import threading; threading.Event().wait()", address="pass"))
    command = [sys.executable, "-m", "labs.engine.grading"]
    with subprocess.Popen(
        command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as grader:
        assert grader.stdin
        grader.stdin.write(json.dumps({**ORDER, "repo": str(repo)}).encode() + b"\n")
        grader.stdin.close()
        assert grader.wait(30) < 0
