"""Progress: what goes on, what is done and what failed, also where there is no terminal."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from labs.engine.events import Done, Events, Failed, Graded, Started, Task
from labs.engine.messages import _, verbatim
from labs.engine.terminal import progress as module
from labs.engine.terminal.progress import Display, progress
from labs.engine.waiting import wait_until


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def events(output: io.StringIO) -> Iterator[Display]:
    with progress("en", Console(file=output, width=200)) as events:
        yield events


def lines(output: io.StringIO) -> list[str]:
    return [line.rsplit(" ", 2)[0] for line in output.getvalue().splitlines()]


def test_a_task_that_is_done_is_shown(events: Events, output: io.StringIO) -> None:
    with events.task(verbatim("Building [flannel]")):
        pass
    assert lines(output) == ["✔ Building [flannel]"]


def test_a_task_that_fails_is_shown_and_its_error_raised(events: Events, output: io.StringIO) -> None:
    with pytest.raises(ValueError, match="why"), events.task(verbatim("Building")):
        raise ValueError("why")
    assert lines(output) == ["✘ Building"]


def test_what_is_interrupted_has_failed(output: io.StringIO) -> None:
    with pytest.raises(KeyboardInterrupt), progress("en", Console(file=output, width=100)) as events:
        events.emit(Started(Task(verbatim("One"))))
        events.emit(Started(Task(verbatim("Another"))))
        raise KeyboardInterrupt
    assert lines(output) == ["✘ One", "✘ Another"]


def test_a_task_ends_once(events: Events, output: io.StringIO) -> None:
    task = Task(verbatim("Building"))
    events.emit(Started(task))
    events.emit(Done(task, 1))
    events.emit(Failed(task, 2))
    assert output.getvalue() == "✔ Building 1.0 s\n"


def test_a_note_is_shown_to_the_letter(events: Events, output: io.StringIO) -> None:
    events.note(verbatim("'coredns' builds on [flannel]"))
    assert output.getvalue() == "'coredns' builds on [flannel]\n"


def test_events_are_shown_in_the_language_of_the_user(output: io.StringIO) -> None:
    with progress("zh", Console(file=output, width=100)) as events:
        events.note(_("There are no hosts."))
    assert output.getvalue() == "没有主机。\n"


def test_tasks_of_many_threads_are_all_shown(events: Events, output: io.StringIO) -> None:
    def work(number: int) -> None:
        with events.task(verbatim(f"Task {number}")):
            pass

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))
    assert sorted(lines(output)) == sorted(f"✔ Task {number}" for number in range(20))


def test_a_long_task_is_shown_before_it_is_done(
    events: Events, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.01)
    with events.task(verbatim("Building")):
        assert wait_until(lambda: "… Building" in output.getvalue(), 10)


def test_a_terminal_shows_a_task_while_it_goes_on(output: io.StringIO) -> None:
    console = Console(file=output, force_terminal=True, width=100)
    with progress("en", console) as events, events.task(verbatim("Building")):
        assert wait_until(lambda: "Building" in output.getvalue(), 10)
    assert "✔" in output.getvalue()


def test_a_terminal_shows_each_result_as_soon_as_it_is_known(output: io.StringIO) -> None:
    with progress("en", Console(file=output, force_terminal=True, color_system=None, width=100)) as events:
        events.emit(Graded("flannel", "config", "passed"))
        events.emit(Graded("flannel", "routes", "failed"))
        assert wait_until(lambda: "flannel ✔✘" in output.getvalue(), 10)


def test_a_new_result_replaces_the_one_before(output: io.StringIO) -> None:
    with progress("en", Console(file=output, force_terminal=True, color_system=None, width=100)) as events:
        events.emit(Graded("flannel", "routes", "failed"))
        events.emit(Graded("flannel", "config", "passed"))
        events.emit(Graded("flannel", "routes", "passed"))
        assert wait_until(lambda: "flannel ✔✔" in output.getvalue(), 10)


def test_results_begin_anew_after_a_report(output: io.StringIO) -> None:
    with progress("en", Console(file=output, force_terminal=True, color_system=None, width=100)) as events:
        events.emit(Graded("flannel", "routes", "failed"))
        events.hide_results()
        events.emit(Graded("flannel", "routes", "passed"))
        assert wait_until(lambda: "flannel ✔" in output.getvalue(), 10)


def test_elsewhere_results_wait_for_the_report(events: Events, output: io.StringIO) -> None:
    events.emit(Graded("flannel", "routes", "failed"))
    assert output.getvalue() == ""


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("en") as events, events.task(verbatim("Building")):
        pass
    captured = capsys.readouterr()
    assert (captured.out, captured.err[:10]) == ("", "✔ Building")
