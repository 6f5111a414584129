"""Grades a lab: starts the grader process, passes on each objective as soon as it is known, and makes the report."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from labs.engine.course.lab_files import Lab
from labs.engine.errors import LabError
from labs.engine.events import Events, Graded
from labs.engine.grading.report import ObjectiveResult, Report, Result
from labs.engine.messages import REPO, Message, Sentence, _, lines
from labs.engine.processes import environment

DEADLINE = 180.0  # seconds for a grading, beside the time that objectives may wait


def grade(
    lab: Lab,
    repo: Path,
    ssh_config: Path,
    events: Events,
    only: Collection[str] = (),
    junit: Path | None = None,
    deadline: float = DEADLINE,
) -> Report:
    """Run the checks of a lab in a process of their own. With `only`, of these objectives, whatever they come after.

    An objective that the grader doesn't get to know, because it crashed or took longer than `deadline` seconds, is an
    error.

    Raises:
        LabError: an unknown objective in `only`, a JUnit file that can't be written, checks that can't be run.
    """
    for id in only:
        lab.objective(id)
    if junit:
        _require_writable(junit)
    order = {
        "lab": lab.id,
        "repo": str(repo),
        "ssh_config": str(ssh_config),
        "junit": str(junit.absolute()) if junit else None,
        "objectives": [{"id": each.id, "after": each.after, "wait": each.wait} for each in lab.objectives],
        "only": list(only),
    }
    wanted = [objective.id for objective in lab.objectives if not only or objective.id in only]
    limit = deadline + sum(objective.wait for objective in lab.objectives)
    start, results = time.monotonic(), dict[str, ObjectiveResult]()
    with tempfile.TemporaryFile("w+") as log, _grader(order, log, limit) as output:
        for line in output:
            message = json.loads(line)
            if "graded" in message and message["graded"] in wanted:
                result = _result(lab, message)
                results[result.id] = result
                events.emit(Graded(lab.id, result.id, result.result))
            _raise_problems(lab, message, log)
        reason = _reason(log, time.monotonic() - start, limit)
    missing = {"result": "error", "evidence": reason.to_json(), "blocked_by": "", "seconds": 0.0}
    objectives = (results.get(id) or _result(lab, {"graded": id, **missing}) for id in wanted)
    return Report(lab.id, tuple(objectives), time.monotonic() - start)


@contextlib.contextmanager
def _grader(order: Mapping[str, Any], log: IO[str], limit: float) -> Iterator[IO[str]]:
    """Start the grader and yield its output; at the end, whatever happens, end it with all that it started."""
    names = [name for name in environment() if name.startswith(("PYTEST", "PYTHON"))]
    process = subprocess.Popen(
        [sys.executable, "-m", "labs.engine.grading"],
        cwd=REPO,
        env=environment(**dict.fromkeys(names)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for us alone: we end it
    )
    watchdog = threading.Timer(limit, _kill, [process])
    watchdog.daemon = True
    watchdog.start()
    try:
        assert process.stdin
        assert process.stdout
        with contextlib.suppress(BrokenPipeError):  # it is dead already, which its output tells
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        yield process.stdout
    finally:
        watchdog.cancel()
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()


def _kill(process: "subprocess.Popen[str]") -> None:
    """End the grader's process group: the process itself, and the SSH clients of probes that still run."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _result(lab: Lab, message: Mapping[str, Any]) -> ObjectiveResult:
    objective, result = lab.objective(message["graded"]), cast(Result, message["result"])
    evidence: Sentence = Message.from_json(message["evidence"])
    if message["blocked_by"]:
        evidence = _("First: {title}", title=lab.objective(message["blocked_by"]).title)
    passed = result == "passed"
    return ObjectiveResult(
        id=objective.id,
        title=objective.title,
        result=result,
        points=objective.points if passed else 0,
        max_points=objective.points,
        evidence=evidence,
        hint=None if passed else objective.hints[0],
        seconds=message["seconds"],
    )


def _raise_problems(lab: Lab, message: Mapping[str, Any], log: IO[str]) -> None:
    if message.get("finished") or "crashed" in message:
        problems = lines(message.get("finished") or [_last_line(log) or message["crashed"]])
        raise LabError(
            "grader",
            _("The checks of the lab '{lab}' can't be run:\n{problems}", lab=lab.id, problems=problems),
            _("Correct them, or get the course anew."),
        )
    if "error" in message:
        error = message["error"]
        raise LabError(error["code"], Message.from_json(error["message"]), Message.from_json(error["hint"]))


def _reason(log: IO[str], seconds: float, limit: float) -> Message:
    """Return why an objective is missing."""
    if seconds >= limit:
        return _("The grader did not finish within {seconds} s.", seconds=round(limit))
    return _("The grader stopped unexpectedly. {output}", output=_last_line(log))


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    return next(iter(log.read().strip().splitlines()[-1:]), "").removeprefix("E").strip()


def _require_writable(file: Path) -> None:
    """Raise LabError when a result file can't be written: before the checks run, not after."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()
    except OSError as error:
        raise LabError(
            "result-file",
            _("The result file {file} can't be written: {reason}.", file=file, reason=error.strerror or error),
            _("Name a file in a folder that you may write to."),
        ) from error
