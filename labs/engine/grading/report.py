"""The report of a grading: ids, and texts in both languages. The code that shows it chooses one."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from labs.engine.messages import Sentence

Result = Literal["passed", "failed", "blocked", "error"]
SCHEMA = 2  # of the JSON, see docs/reference/grading.md


@dataclass(frozen=True)
class ObjectiveResult:
    """The result of one objective: why it is so (`evidence`), and what helps (`hint`, None once it passed)."""

    id: str
    title: Sentence
    result: Result
    points: int
    max_points: int
    evidence: Sentence
    hint: Sentence | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, with texts in both languages."""
        return {
            "id": self.id,
            "title": both(self.title),
            "result": self.result,
            "points": self.points,
            "max_points": self.max_points,
            "evidence": both(self.evidence),
            "hint": both(self.hint) if self.hint else None,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Report:
    """The results of the objectives of a lab that were graded."""

    lab: str
    objectives: tuple[ObjectiveResult, ...]
    seconds: float

    @property
    def points(self) -> int:
        """The points of the objectives that passed."""
        return sum(objective.points for objective in self.objectives)

    @property
    def max_points(self) -> int:
        """The points of all graded objectives together."""
        return sum(objective.max_points for objective in self.objectives)

    @property
    def exit_code(self) -> int:
        """0: all passed. 2: at least one could not be graded. 1: not all passed yet."""
        results = {objective.result for objective in self.objectives}
        return 2 if "error" in results else 0 if results == {"passed"} else 1

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of the objectives that have not passed."""
        return tuple(objective.id for objective in self.objectives if objective.result != "passed")

    def updated(self, newer: "Report") -> "Report":
        """Return this report with the objectives that a newer one graded again."""
        again = {objective.id: objective for objective in newer.objectives}
        objectives = tuple(again.get(objective.id, objective) for objective in self.objectives)
        return dataclasses.replace(self, objectives=objectives, seconds=newer.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, in the documented schema."""
        return {
            "schema": SCHEMA,
            "lab": self.lab,
            "points": self.points,
            "max_points": self.max_points,
            "seconds": round(self.seconds, 2),
            "objectives": [objective.to_dict() for objective in self.objectives],
        }


def both(text: Sentence) -> dict[str, str]:
    """Return a text in both languages, for JSON."""
    return {lang: text.of(lang) for lang in ("en", "zh")}
