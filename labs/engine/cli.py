"""Invoke tasks whose errors people can read: one sentence and what to do about it; the traceback only with --debug."""

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import invoke.tasks
from invoke.exceptions import Exit
from rich.console import Console
from rich.markup import escape

from labs.engine.errors import LabError

F = TypeVar("F", bound=Callable[..., None])


def task(**options: Any) -> Callable[[F], F]:
    """Make an Invoke task. A LabError ends it with exit status 2, Ctrl-C with 130."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*arguments: Any, **keywords: Any) -> None:
            try:
                function(*arguments, **keywords)
            except LabError as error:
                if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
                    raise
                console = Console(stderr=True, soft_wrap=True, highlight=False)
                console.print(f"[red]{escape(error.message)}[/]")
                if error.hint:
                    console.print(escape(error.hint))
                raise Exit(code=2) from None
            except KeyboardInterrupt:
                Console(stderr=True).print("Interrupted. The same command starts again where that makes sense.")
                raise Exit(code=130) from None

        return cast(F, invoke.tasks.task(**options)(run))

    return decorate
