"""Shows events as they happen: live lines on a terminal, plain ones elsewhere."""

import contextlib
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from labs.engine.events import Done, Event, Events, Failed, Graded, Noted, Started, Task
from labs.engine.terminal.marks import FAILED, MARKS, PASSED

SILENCE = 2.0  # seconds after which a line says what takes so long, where nothing moves


class View(Protocol):
    """Where something that goes on is shown. A Display never calls it from two threads at once."""

    def show(self, task: Task, title: str) -> None:
        """Begin to show a task."""

    def hide(self, task: Task) -> None:
        """End showing it."""

    def graded(self, lab: str, marks: str) -> None:
        """Show how the objectives of a lab stand so far, nothing for no marks."""


class Display(Events):
    """Events that are shown on a console in one language. Any thread may emit them."""

    def __init__(self, console: Console, view: View, lang: str) -> None:
        super().__init__(self._show)
        self._console, self._view, self._lang = console, view, lang
        self._open: list[Task] = []
        self._results: dict[str, dict[str, str]] = defaultdict(dict)
        self._lock = threading.RLock()

    def hide_results(self) -> None:
        """Hide the live results of objectives, because a whole report is about to be printed."""
        with self._lock:
            for lab in self._results:
                self._view.graded(lab, "")
            self._results.clear()

    def close(self) -> None:
        """Show what has not finished as failed."""
        self.hide_results()
        for task in list(self._open):
            self._end(task, FAILED, time.monotonic() - task.started)

    def _show(self, event: Event) -> None:
        with self._lock:
            match event:
                case Started(task):
                    self._open.append(task)
                    self._view.show(task, escape(task.title.of(self._lang)))
                case Done(task, seconds):
                    self._end(task, PASSED, seconds)
                case Failed(task, seconds):
                    self._end(task, FAILED, seconds)
                case Noted(text):
                    self._console.print(escape(text.of(self._lang)), highlight=False)
                case Graded(lab, objective, result):
                    self._results[lab][objective] = result
                    self._view.graded(lab, "".join(MARKS[each] for each in self._results[lab].values()))

    def _end(self, task: Task, mark: str, seconds: float) -> None:
        with self._lock:
            if task not in self._open:
                return
            self._open.remove(task)
            self._view.hide(task)
            title = escape(task.title.of(self._lang))
            self._console.print(f"{mark} {title} [dim]{seconds:.1f} s[/]", highlight=False)


class _Live:
    """A spinner and a clock per task and per lab that is graded, on a terminal."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._ids: dict[Task | str, TaskID] = {}

    def show(self, task: Task, title: str) -> None:
        self._ids[task] = self._display.add_task(title, total=None)

    def hide(self, task: Task) -> None:
        self._display.remove_task(self._ids.pop(task))

    def graded(self, lab: str, marks: str) -> None:
        if not marks:
            self._display.remove_task(self._ids.pop(lab))
        elif lab in self._ids:
            self._display.update(self._ids[lab], description=f"{lab} {marks}")
        else:
            self._ids[lab] = self._display.add_task(f"{lab} {marks}", total=None)


class _Plain:
    """A line for each task that takes long, where there is no terminal. Results of objectives wait for the report."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._timers: dict[Task, threading.Timer] = {}

    def show(self, task: Task, title: str) -> None:
        timer = threading.Timer(SILENCE, self._console.print, [f"… {title}"], {"highlight": False})
        timer.daemon = True
        self._timers[task] = timer
        timer.start()

    def hide(self, task: Task) -> None:
        self._timers.pop(task).cancel()

    def graded(self, lab: str, marks: str) -> None:
        pass


@contextlib.contextmanager
def progress(lang: str, console: Console | None = None) -> Iterator[Display]:
    """Show events on standard error, so that standard output stays clean for results.

    When the block ends, tasks that have not finished are shown as failed.
    """
    console = console or Console(file=sys.stderr)
    with contextlib.ExitStack() as stack:
        view: View = _Plain(console)
        if console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            view = _Live(
                stack.enter_context(Progress(*columns, console=console, transient=True, redirect_stdout=False))
            )
        display = Display(console, view, lang)
        try:
            yield display
        finally:
            display.close()
