"""What the engine tells while it works. The terminal is one subscriber, the study site another."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from labs.engine.messages import Sentence


@dataclass(frozen=True, eq=False)
class Task:
    """Something that takes time. `started` is a reading of the monotonic clock, in seconds."""

    title: Sentence
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Started:
    """A task began."""

    task: Task


@dataclass(frozen=True)
class Done:
    """A task succeeded, after `seconds`."""

    task: Task
    seconds: float


@dataclass(frozen=True)
class Failed:
    """A task failed, after `seconds`."""

    task: Task
    seconds: float


@dataclass(frozen=True)
class Noted:
    """Something worth knowing that takes no time."""

    text: Sentence


@dataclass(frozen=True)
class Graded:
    """An objective was graded: `result` is passed, failed, blocked or error."""

    lab: str
    objective: str
    result: str


Event = Started | Done | Failed | Noted | Graded
Subscriber = Callable[[Event], None]


class Events:
    """Passes events on to subscribers, in the thread that emits them: a subscriber takes care of its own locking."""

    def __init__(self, *subscribers: Subscriber) -> None:
        self._subscribers = subscribers

    def emit(self, event: Event) -> None:
        """Tell every subscriber."""
        for subscriber in self._subscribers:
            subscriber(event)

    @contextlib.contextmanager
    def task(self, title: Sentence) -> Iterator[None]:
        """Tell of a task for as long as the block takes: done at its end, failed by its exception."""
        task = Task(title)
        self.emit(Started(task))
        try:
            yield
        except BaseException:
            self.emit(Failed(task, time.monotonic() - task.started))
            raise
        self.emit(Done(task, time.monotonic() - task.started))

    def note(self, text: Sentence) -> None:
        """Tell something that takes no time."""
        self.emit(Noted(text))
