"""What came of an objective's checks, and how an exception in a check is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from labs.engine.errors import LabError
from labs.engine.messages import Message, _, verbatim

_FAILURES = (AssertionError, pytest.fail.Exception)
_SEVERITY: Mapping[str | None, int] = MappingProxyType({None: 0, "blocked": 1, "passed": 1, "failed": 2, "error": 3})


@dataclass
class Outcome:
    """What the checks of one objective found so far; `result` is None before the first, `blocked_by` an objective."""

    result: str | None = None
    evidence: Message = field(default_factory=lambda: Message(""))
    blocked_by: str = ""
    seconds: float = 0

    def note(self, result: str, evidence: Message | None = None) -> None:
        """Add the result of a check. The worst check decides; of several, the first one speaks."""
        if _SEVERITY[result] > _SEVERITY[self.result]:
            self.result, self.evidence = result, evidence or Message("")

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain data, for the process that started the grading."""
        return {
            "result": self.result,
            "evidence": self.evidence.to_json(),
            "blocked_by": self.blocked_by,
            "seconds": self.seconds,
        }


def judge(exception: BaseException, phase: str) -> tuple[str, Message]:
    """Return result and evidence: only what a check asserts is about the learner; anything else is an error."""
    text = str(exception).strip()
    if phase != "teardown" and isinstance(exception, _FAILURES):
        said = exception.args[0] if exception.args else ""
        if isinstance(said, Message):
            return "failed", said
        return "failed", verbatim(text) if text else _("The check does not hold.")
    if isinstance(exception, pytest.skip.Exception):
        return "error", _("The check was skipped: {reason}", reason=text)
    if isinstance(exception, LabError):
        hint = exception.hint
        return "error", _("{message} {hint}", message=exception.message, hint=hint) if str(hint) else exception.message
    return "error", verbatim(f"{type(exception).__name__}: {text}")
