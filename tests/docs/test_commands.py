"""docs/reference/cli.md against tasks.py and the code: every task, argument, option and environment variable."""

import re
from inspect import signature

import pytest

from labs.engine.settings import Settings
from tasks import namespace
from tests.docs.pages import SUFFIXES, first_columns, page, repository_files, section

TASKS = sorted(namespace.task_names)
ENVIRONMENT = {"en": "## Environment", "zh": "## 环境变量"}
VARIABLE = re.compile(r"\bF0_[A-Z][A-Z_]*\b")
CODE = ("labs/*.py", "checks/*.py", "tasks.py", "setup.sh", "vagrant/*", ".ci/*")


def _arguments(task: str) -> dict[str, bool]:
    """The names of a task's arguments, and whether each is positional or an option."""
    known = namespace[task]
    return {
        str(argument.name): bool(argument.positional) and argument.name not in known.iterable
        for argument in known.get_arguments()
    }


def _synopsis(task: str) -> str:
    parameters = signature(namespace[task].body).parameters
    needed = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    names = [name for name, positional in _arguments(task).items() if positional]
    return " ".join([task, *(name.upper() if name in needed else f"[{name.upper()}]" for name in names)])


def _options(task: str) -> set[str]:
    return {f"--{name.replace('_', '-')}" for name, positional in _arguments(task).items() if not positional}


def _read(lang: str) -> str:
    return page("reference/cli", lang).read_text()


@pytest.mark.parametrize("lang", SUFFIXES)
def test_every_task_is_documented_with_its_arguments_and_no_other_is(lang: str) -> None:
    assert set(re.findall(r"^### `(.+)`$", _read(lang), re.M)) == {_synopsis(task) for task in TASKS}


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("task", TASKS)
def test_every_option_of_a_task_is_documented_and_no_other_is(task: str, lang: str) -> None:
    text = section(_read(lang), f"### `{_synopsis(task)}`")
    assert set(re.findall(r"^\| `(--[a-z-]+)", text, re.M)) == _options(task)


@pytest.mark.parametrize("lang", SUFFIXES)
def test_every_environment_variable_of_the_code_is_documented_and_no_other_is(lang: str) -> None:
    read = {f"F0_{name.upper()}" for name in Settings.model_fields if name != "language"}
    used = {name for file in repository_files(*CODE) for name in VARIABLE.findall(file.read_text())} | read
    assert {*VARIABLE.findall(section(_read(lang), ENVIRONMENT[lang]))} == used


def test_pages_name_no_other_environment_variable() -> None:
    documented = {*first_columns(section(_read("en"), ENVIRONMENT["en"]))[0]}
    for file in repository_files("*.md"):
        of_the_tests = {"F0_GOLDEN"} if file.name == "CONTRIBUTING.md" else set()
        assert {*VARIABLE.findall(file.read_text())} <= documented | of_the_tests, file
