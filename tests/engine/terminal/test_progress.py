"""Progress: what is going on, what is done and what failed, also where there is no terminal."""

import io

import pytest
from rich.console import Console

from labs.engine.hosts.readiness import wait_until
from labs.engine.terminal import progress as module
from labs.engine.terminal.progress import Tasks, progress


def lines(said: io.StringIO) -> list[str]:
    return [line.rsplit(" ", 2)[0] for line in said.getvalue().splitlines()]


def test_a_task_is_told_when_it_is_done(tasks: Tasks, said: io.StringIO) -> None:
    with tasks.task("Building [flannel]"):
        pass
    assert lines(said) == ["✔ Building [flannel]"]


def test_a_task_that_fails_is_told_and_so_is_why(tasks: Tasks, said: io.StringIO) -> None:
    with pytest.raises(ValueError, match="why"), tasks.task("Building"):
        raise ValueError("why")
    assert lines(said) == ["✘ Building"]


def test_what_is_interrupted_has_failed(said: io.StringIO) -> None:
    with pytest.raises(KeyboardInterrupt), progress(Console(file=said, width=100)) as tasks:
        tasks.start("One")
        tasks.start("Another")
        raise KeyboardInterrupt
    assert lines(said) == ["✘ One", "✘ Another"]


def test_a_task_ends_once(tasks: Tasks, said: io.StringIO) -> None:
    task = tasks.start("Building")
    tasks.done(task)
    tasks.fail(task)
    assert lines(said) == ["✔ Building"]


def test_a_note_is_said_as_it_is(tasks: Tasks, said: io.StringIO) -> None:
    tasks.note("'coredns' builds on [flannel]")
    assert said.getvalue() == "'coredns' builds on [flannel]\n"


def test_what_takes_long_is_told_before_it_is_done(
    tasks: Tasks, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE", 0.01)
    with tasks.task("Building"):
        assert wait_until(lambda: "… Building" in said.getvalue(), 10)


def test_a_terminal_shows_it_while_it_goes_on() -> None:
    said = io.StringIO()
    with progress(Console(file=said, force_terminal=True, width=100)) as tasks, tasks.task("Building"):
        assert wait_until(lambda: "Building" in said.getvalue(), 10)
    assert "✔" in said.getvalue()


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as shown, shown.task("Building"):
        pass
    captured = capsys.readouterr()
    assert (captured.out, captured.err[:10]) == ("", "✔ Building")
