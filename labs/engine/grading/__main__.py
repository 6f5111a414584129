"""The grader process: `python -m labs.engine.grading` grades one lab and writes JSON lines.

It reads an order (see run.grade), one line, from standard input. On standard output there is a line for each objective
as soon as its outcome is final, `{"graded": id, …}`, and a last one: `{"finished": [problems of the checks]}`,
`{"crashed": …}` when pytest itself could not go on (standard error says why), or `{"error": …}`.
"""

import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import pytest

from labs.engine.errors import LabError
from labs.engine.grading.outcomes import Outcome
from labs.engine.grading.plugin import GradingPlugin
from labs.engine.grading.schedule import Objective
from labs.engine.messages import _


def main() -> None:
    """Grade what standard input orders; never returns, so that no probe that still runs keeps the process alive."""
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What checks print must not get between the lines.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def write(line: Mapping[str, Any]) -> None:
        print(json.dumps(line), file=lines, flush=True)

    try:
        refuse_optimised_python()
        write(grade(order, lambda id, outcome: write({"graded": id, **outcome.to_json()})))
    except LabError as error:
        write({"error": {"code": error.code, "message": error.message.to_json(), "hint": error.hint.to_json()}})
    _end(lines)


def refuse_optimised_python() -> None:
    """Raise LabError when Python leaves out assert statements: every check would pass."""
    if not __debug__:
        raise LabError(
            "optimised-python",
            _("Python's optimisation mode leaves out the assertions that grade."),
            _("Unset PYTHONOPTIMIZE, and run Python without -O."),
        )


def grade(order: Mapping[str, Any], emit: Callable[[str, Outcome], None]) -> dict[str, Any]:
    """Run the checks of an order; return the last line."""
    objectives = [Objective(each["id"], tuple(each["after"]), each["wait"]) for each in order["objectives"]]
    plugin = GradingPlugin(order["lab"], objectives, order["only"], emit)
    code = pytest.main(_arguments(order), plugins=[plugin])
    if not plugin.problems and code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        return {"crashed": pytest.ExitCode(code).name}
    return {"finished": plugin.problems}


def _arguments(order: Mapping[str, Any]) -> list[str]:
    repo = order["repo"]
    return [
        f"{repo}/checks/{order['lab']}",
        f"--rootdir={repo}",
        f"--confcutdir={repo}/checks",
        # The project's own pytest settings are for its own tests.
        f"--config-file={os.devnull}",
        "--override-ini=pythonpath=" + shlex.quote(repo),
        f"--override-ini=junit_suite_name={order['lab']}",
        "--disable-plugin-autoload",
        "-ppytest11.testinfra",
        *(f"-pno:{name}" for name in ("cacheprovider", "doctest", "faulthandler", "logging", "warnings", "terminal")),
        # Messages of failed asserts become evidence as they are, without pytest's account of the values.
        "--assert=plain",
        "--import-mode=importlib",
        "--capture=no",
        f"--ssh-config={order['ssh_config']}",
        *([f"--junit-xml={order['junit']}"] if order["junit"] else []),
    ]


def _end_with_parent() -> None:
    """End this process and all that it started when the parent is gone: nothing else would."""
    sys.stdin.read()
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _end(lines: TextIO) -> None:
    lines.close()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
