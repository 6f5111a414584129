"""Hints: each call goes one step further."""

from dataclasses import dataclass

from labs.engine.checking import check
from labs.engine.context import Context
from labs.engine.course.lab_files import Lab
from labs.engine.errors import LabError
from labs.engine.messages import Sentence, _


@dataclass(frozen=True)
class Hint:
    """Hint number `step` of the `of` hints of an objective with this `title`."""

    title: Sentence
    step: int
    of: int
    text: Sentence


def next_hint(context: Context, lab: Lab, objective: str | None) -> Hint:
    """Return the next hint of an objective, by default the first that isn't passed; the last one is repeated.

    Raises:
        LabError: there is no such objective; all are passed.
    """
    if objective is None:
        waiting = check(context, lab).open
        if not waiting:
            raise LabError("nothing-to-do", _("All objectives of '{id}' are passed: no hint is left.", id=lab.id))
        objective = waiting[0]
    wanted = lab.objective(objective)
    step = 1
    if context.state:
        with context.workspace.changing() as state:
            key = f"{lab.id}/{objective}"
            step = min(state.hints.get(key, 0) + 1, len(wanted.hints))
            state.hints = {**state.hints, key: step}
    context.record.event("hint", lab.id, f"{objective} {step}")
    return Hint(wanted.title, step, len(wanted.hints), wanted.hints[step - 1])
