"""Invoke tasks for people: readable errors (the traceback only with --debug), and words that may be left out."""

import errno
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar, cast

import invoke.tasks
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine
from rich.console import Console
from rich.markup import escape

from labs.engine.errors import LabError

F = TypeVar("F", bound=Callable[..., None])


class _Word(Argument):
    """A positional argument that may be absent: `lab.break flannel` and `lab.break flannel lost-route`."""

    @classmethod
    def of(cls, argument: Argument) -> "_Word":
        return cls(names=argument.names, help=argument.help, positional=True)


class _Task(invoke.tasks.Task[Any]):
    """Invoke's task, whose positional arguments with a default are words that may be absent."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The task's arguments, as the parser takes them."""
        given = super().get_arguments(ignore_unknown_help)
        return [_Word.of(one) if one.positional and one.default is not None else one for one in given]


def accept_absent_words() -> None:
    """Make Invoke's parser leave absent words empty: it takes all positional arguments for required, without a hook."""
    complete = ParseMachine.complete_context

    def complete_context(machine: ParseMachine) -> None:
        for argument in machine.context.missing_positional_args if machine.context else ():
            if isinstance(argument, _Word):
                argument.value = ""
        complete(machine)

    ParseMachine.complete_context = complete_context  # type: ignore[assignment,method-assign]


def whole_number(word: str) -> int:
    """Return the number that a word of the command line is; LabError when it is none."""
    try:
        return int(word)
    except ValueError as error:
        raise LabError(f"'{word}' is no whole number.") from error


def task(*, words: Sequence[str] | None = None, **options: Any) -> Callable[[F], F]:
    """Make an Invoke task. A LabError ends it with exit status 2, Ctrl-C with 130.

    Args:
        words: the arguments that need no flag, in order; those with a default may be absent. None: all without default.
        options: as for invoke.task
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*arguments: Any, **keywords: Any) -> None:
            try:
                function(*arguments, **keywords)
            except LabError as error:
                _refuse(error)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                where = f" ({error.filename})" if error.filename else ""
                _refuse(LabError(f"The disk is full{where}.", "Free some space and try again: what is built stays."))
            except KeyboardInterrupt:
                Console(stderr=True).print("Interrupted. The same command starts again where that makes sense.")
                raise Exit(code=130) from None

        return cast(F, invoke.tasks.task(klass=_Task, positional=words, **options)(run))

    return decorate


def _refuse(error: LabError) -> NoReturn:
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        raise error
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"[red]{escape(error.message)}[/]")
    if error.hint:
        console.print(escape(error.hint))
    raise Exit(code=2) from None
