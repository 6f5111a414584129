"""Shows long work as it goes on: live lines on a terminal, plain ones elsewhere."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_SILENCE = 2.0


@dataclass(frozen=True, eq=False)
class Task:
    """Something that takes time."""

    title: str
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.started


class View(Protocol):
    """Where a task is shown while it goes on."""

    def show(self, task: Task) -> None:
        """Begin to show it."""

    def hide(self, task: Task) -> None:
        """It is over."""


class Tasks:
    """The tasks going on. Threads may start and end tasks as they like."""

    def __init__(self, console: Console, view: View) -> None:
        self._console = console
        self._view = view
        self._open: list[Task] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[None]:
        """Show a task for as long as the block takes: done at its end, failed by its exception."""
        task = self.start(title)
        try:
            yield
        except BaseException:
            self.fail(task)
            raise
        self.done(task)

    def start(self, title: str) -> Task:
        """Begin a task."""
        task = Task(title)
        with self._lock:
            self._open.append(task)
            self._view.show(task)
        return task

    def done(self, task: Task) -> None:
        """The task went well."""
        self._end(task, "[green]✔[/]")

    def fail(self, task: Task) -> None:
        """The task did not go well."""
        self._end(task, "[red]✘[/]")

    def note(self, text: str) -> None:
        """Say something by the way."""
        self._console.print(escape(text), highlight=False)

    def fail_open(self) -> None:
        """What is still going on will not come to its end."""
        for task in list(self._open):
            self.fail(task)

    def _end(self, task: Task, mark: str) -> None:
        with self._lock:
            if task not in self._open:
                return
            self._open.remove(task)
            self._view.hide(task)
            self._console.print(f"{mark} {escape(task.title)} [dim]{task.seconds:.1f} s[/]", highlight=False)


class _Live:
    """A spinner and a clock a task, on a terminal."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._ids: dict[Task, TaskID] = {}

    def show(self, task: Task) -> None:
        self._ids[task] = self._display.add_task(escape(task.title), total=None)

    def hide(self, task: Task) -> None:
        self._display.remove_task(self._ids.pop(task))


class _Plain:
    """A line for each task that keeps people waiting, where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._timers: dict[Task, threading.Timer] = {}

    def show(self, task: Task) -> None:
        timer = threading.Timer(_SILENCE, self._console.print, [f"… {escape(task.title)}"], {"highlight": False})
        timer.daemon = True
        self._timers[task] = timer
        timer.start()

    def hide(self, task: Task) -> None:
        self._timers.pop(task).cancel()


@contextlib.contextmanager
def progress(console: Console | None = None) -> Iterator[Tasks]:
    """Show tasks on standard error, so that standard output stays clean for results."""
    console = console or Console(file=sys.stderr)
    with contextlib.ExitStack() as stack:
        view: View = _Plain(console)
        if console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            view = _Live(
                stack.enter_context(Progress(*columns, console=console, transient=True, redirect_stdout=False))
            )
        tasks = Tasks(console, view)
        try:
            yield tasks
        finally:
            tasks.fail_open()
