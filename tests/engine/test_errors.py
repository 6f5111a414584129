"""Errors for users, and the page that explains each code."""

import re
from typing import get_args

import pytest

from labs.engine.errors import Code, LabError
from labs.engine.messages import _
from tests.docs.pages import SUFFIXES, page

CODES = list(get_args(Code))


def test_an_error_is_its_message() -> None:
    error = LabError("no-lab", _("No lab is up."), _("There are no hosts."))
    assert (str(error), error.code, str(error.hint)) == ("No lab is up.", "no-lab", "There are no hosts.")


def test_an_error_is_in_both_languages() -> None:
    assert LabError("no-lab", _("No lab is up.")).message.of("zh") == "没有正在运行的实验。"


def test_what_a_program_printed_can_be_the_message() -> None:
    assert LabError("vagrant", "{as it is}").message.of("zh") == "{as it is}"


def test_an_error_needs_no_hint() -> None:
    assert str(LabError("no-lab", _("No lab is up.")).hint) == ""


def test_codes_are_sorted() -> None:
    assert sorted(CODES) == CODES


@pytest.mark.parametrize("lang", SUFFIXES)
def test_every_code_has_its_entry_under_its_anchor_and_nothing_else_has(lang: str) -> None:
    headings = re.findall(r"^### `(.+)` \{ #(.+) \}$", page("reference/troubleshooting", lang).read_text(), re.M)
    assert headings == [(code, code) for code in CODES]
