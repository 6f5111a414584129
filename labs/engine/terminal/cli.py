"""Invoke tasks in two languages, with errors that people and programs can read, and with optional positionals."""

import errno
import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, cast

import invoke.tasks
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine

from labs.engine.errors import LabError
from labs.engine.messages import Sentence, _

F = TypeVar("F", bound=Callable[..., None])
PAGES = {"en": "docs/reference/troubleshooting.md", "zh": "docs/reference/troubleshooting.zh.md"}


class OptionalPositional(Argument):
    """A positional argument that may be left out: `lab.break flannel` as well as `lab.break flannel lost-route`."""

    @classmethod
    def of(cls, argument: Argument) -> "OptionalPositional":
        """Return the optional form of an argument."""
        return cls(names=argument.names, help=argument.help, positional=True)


class _Task(invoke.tasks.Task[Any]):
    """Invoke's task, whose positional arguments with a default may be left out."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the task's arguments, as the parser takes them."""
        return [
            OptionalPositional.of(argument) if argument.positional and argument.default is not None else argument
            for argument in super().get_arguments(ignore_unknown_help)
        ]


def allow_optional_positionals() -> None:
    """Make Invoke's parser leave missing optional positionals empty.

    Invoke requires every positional argument and has no hook to change that, so this wraps a method of its parser,
    written for Invoke 2.2.
    """
    complete = ParseMachine.complete_context

    def complete_context(machine: ParseMachine) -> None:
        for argument in machine.context.missing_positional_args if machine.context else ():
            if isinstance(argument, OptionalPositional):
                argument.value = ""
        complete(machine)

    ParseMachine.complete_context = complete_context  # type: ignore[assignment,method-assign]


def integer(word: str) -> int:
    """Return the integer that a word of the command line stands for; LabError when it is none."""
    try:
        return int(word)
    except ValueError as error:
        raise LabError("usage", _('"{word}" is not an integer.', word=word)) from error


def exit_with(code: int) -> None:
    """End the task with an exit status."""
    if code:
        raise Exit(code=code)


def make_task(
    lang: str,
    description: Sentence,
    *,
    positional: Sequence[str] | None = None,
    help: Mapping[str, Sentence] | None = None,
    **options: Any,
) -> Callable[[F], F]:
    """Make an Invoke task. A LabError ends it with exit status 2, Ctrl-C with 130.

    An error goes to standard error as text, or, when the task has a `json` argument and it is set, to standard output
    as JSON: that is where the program that asked for JSON reads.

    Args:
        lang: the language of everything the task says: "en" or "zh"
        description: what `invoke --help TASK` says; its first line is in `invoke --list`
        positional: the arguments that need no flag, in order; those with a default may be left out. None: all without
            a default
        help: what `invoke --help TASK` says of each argument
        options: as for invoke.task
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*arguments: Any, **keywords: Any) -> None:
            try:
                function(*arguments, **keywords)
            except LabError as error:
                _fail(error, lang, as_json=bool(keywords.get("json")))
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                _fail(_disk_full(error), lang, as_json=bool(keywords.get("json")))
            except KeyboardInterrupt:
                _print_error(_("Interrupted. Run the same command again to resume.").of(lang))
                raise Exit(code=130) from None

        run.__doc__ = description.of(lang)
        texts = {name: text.of(lang) for name, text in (help or {}).items()}
        return cast(F, invoke.tasks.task(klass=_Task, positional=positional, help=texts, **options)(run))

    return decorate


def _disk_full(error: OSError) -> LabError:
    advice = _("Free some space, then run the command again: what has been built is kept.")
    if error.filename:
        return LabError("disk-full", _("The disk is full ({file}).", file=error.filename), advice)
    return LabError("disk-full", _("The disk is full."), advice)


def _fail(error: LabError, lang: str, *, as_json: bool) -> NoReturn:
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        raise error
    if as_json:
        print(json.dumps({"error": error_as_data(error)}, ensure_ascii=False, indent=2))
    else:
        _print_error(error.message.of(lang), error.hint.of(lang), f"{PAGES[lang]}#{error.code}")
    raise Exit(code=2) from None


def error_as_data(error: LabError) -> dict[str, Any]:
    """Return an error as plain data, in both languages."""
    texts = {"message": error.message, "hint": error.hint}
    return {"code": error.code, **{name: {"en": text.of("en"), "zh": text.of("zh")} for name, text in texts.items()}}


def _print_error(message: str, hint: str = "", page: str = "") -> None:
    from rich.console import Console  # only where there is something to print: `invoke --list` starts faster without

    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    console.print(message, style="red" if page else "")
    if hint:
        console.print(hint)
    if page:
        console.print(page, style="dim")
