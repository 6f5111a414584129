"""Messages in both languages, and the catalogs of their Chinese against the code."""

import re
import string
from pathlib import Path

import pytest

from labs.engine.messages import CATALOGS, Message, _, language, lines, listing, render, verbatim
from labs.engine.terminal.catalogs import SOURCES, extract, read, update


@pytest.fixture(params=CATALOGS, ids=lambda catalog: catalog.parts[-3])
def catalog(request: pytest.FixtureRequest) -> Path:
    """Each catalog of Chinese messages."""
    assert isinstance(request.param, Path)
    return request.param


def fields(text: str) -> list[str]:
    return sorted(parsed[1] for parsed in string.Formatter().parse(text) if parsed[1] is not None)


# ----------------------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_decides(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


@pytest.mark.parametrize(("lang", "text"), [("en", "First: Routes"), ("zh", "请先完成：Routes")])
def test_a_message_exists_in_both_languages(lang: str, text: str) -> None:
    assert _("First: {title}", title="Routes").of(lang) == text


def test_a_message_without_translation_stays_english() -> None:
    assert Message("Never translated: {what}", {"what": 1}).of("zh") == "Never translated: 1"


def test_a_message_inside_a_message_is_in_the_same_language() -> None:
    message = _("First: {title}", title=_("No lab is up."))
    assert (str(message), message.of("zh")) == ("First: No lab is up.", "请先完成：没有正在运行的实验。")


def test_a_message_survives_json() -> None:
    message = _("First: {title}", title=_("{limit} instances allowed", limit=7))
    assert Message.from_json(message.to_json()).of("zh") == message.of("zh")


@pytest.mark.parametrize("text", ["", "a {brace} and 100 %"])
def test_what_a_program_printed_stays_as_it_is(text: str) -> None:
    assert (verbatim(text).of("en"), verbatim(text).of("zh")) == (text, text)


@pytest.mark.parametrize(
    ("items", "text"), [([], "none"), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")]
)
def test_a_listing_is_cut_where_it_grows_long(items: list[str], text: str) -> None:
    assert str(listing(items, limit=2)) == text


def test_lines_stand_one_below_the_other() -> None:
    assert lines([_("No lab is up."), "as it is"]).of("zh") == "没有正在运行的实验。\nas it is"


@pytest.mark.parametrize(("value", "text"), [(7, "7"), ("word", "word"), (_("none"), "无")])
def test_values_of_all_kinds_become_text(value: object, text: str) -> None:
    assert render(value, "zh") == text


# ----------------------------------------------------------------------------------------------------------- catalogs


def test_every_message_of_the_code_is_in_its_catalog_and_nothing_else_is(catalog: Path) -> None:
    in_code = {str(message.id) for message in extract(SOURCES[catalog]) if message.id}
    assert {str(message.id) for message in read(catalog) if message.id} == in_code


def test_every_message_is_translated(catalog: Path) -> None:
    assert [message.id for message in read(catalog) if message.id and (not message.string or message.fuzzy)] == []


def test_no_message_is_obsolete(catalog: Path) -> None:
    assert list(read(catalog).obsolete) == []


def test_a_translation_has_the_fields_of_its_message(catalog: Path) -> None:
    pairs = [(str(message.id), str(message.string)) for message in read(catalog) if message.id]
    assert [text for text, chinese in pairs if fields(text) != fields(chinese)] == []


def test_messages_are_sorted(catalog: Path) -> None:
    ids = [str(message.id) for message in read(catalog) if message.id]
    assert ids == sorted(ids)


def test_chinese_text_has_no_space_between_two_chinese_characters(catalog: Path) -> None:
    texts = [str(message.string) for message in read(catalog) if message.id]
    assert [text for text in texts if re.search(r"[一-鿿] [一-鿿]", text)] == []


def test_a_message_of_both_catalogs_has_one_translation() -> None:
    engine, checks = ({str(m.id): m.string for m in read(catalog) if m.id} for catalog in CATALOGS)
    shared = engine.keys() & checks.keys()
    assert {text: engine[text] for text in shared} == {text: checks[text] for text in shared}


def test_an_update_keeps_translations_drops_what_is_gone_and_names_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "zh.po"
    file.write_text('msgid "No lab is up."\nmsgstr "无"\n\nmsgid "Long gone."\nmsgstr "旧"\n', encoding="utf-8")
    missing = update(file, ("labs/engine/workspace.py",))
    kept = {str(message.id): message.string for message in read(file)}
    assert kept["No lab is up."] == "无"
    assert "Long gone." not in kept
    assert "Another task is already running in this workspace." in missing


def test_an_update_changes_nothing_the_second_time(tmp_path: Path) -> None:
    file = tmp_path / "zh.po"
    update(file, ("labs/engine/workspace.py",))
    first = file.read_bytes()
    update(file, ("labs/engine/workspace.py",))
    assert file.read_bytes() == first
