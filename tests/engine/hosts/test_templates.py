"""The environment of all templates."""

import pytest
from jinja2 import UndefinedError

from labs.engine.hosts.templates import template_environment


def rendered(template: str, **context: object) -> str:
    return template_environment().from_string(template).render(context)


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'adress' is undefined"):
        rendered("{{ adress }}")


def test_nothing_is_escaped() -> None:
    assert rendered("{{ text }}", text="<a & b>") == "<a & b>"


def test_lines_of_statements_leave_no_trace() -> None:
    assert rendered("a\n    {% if true %}\nb\n    {% endif %}\n") == "a\nb\n"


def test_bytes_become_base64() -> None:
    assert rendered("{{ key | b64encode }}", key=b"\x00\xff") == "AP8="
