"""Sentences in both languages: the engine says what happened, and the code that shows it chooses the language.

Babel collects them by the name `_` (`invoke messages` brings the catalogs up to date); their Chinese is in the
catalogs that CATALOGS lists.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

REPO = Path(__file__).resolve().parents[2]
CATALOGS = (REPO / "labs/engine/locale/zh.po", REPO / "checks/locale/zh.po")


@runtime_checkable
class Sentence(Protocol):
    """A text in both languages."""

    def of(self, lang: str) -> str:
        """Return the text in the language "zh" or "en"."""


@dataclass(frozen=True)
class Message:
    """An English template with `{name}` fields, and the values of these fields (which may be sentences as well)."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def of(self, lang: str) -> str:
        """Return the message in the language "zh", else in English."""
        template = _chinese().gettext(self.template) if lang == "zh" else self.template
        return template.format(**{name: render(value, lang) for name, value in self.values.items()})

    def __str__(self) -> str:
        return self.of("en")

    def to_json(self) -> dict[str, Any]:
        """Return the message as plain data; `from_json` is the way back."""
        return {"template": self.template, "values": {name: _plain(value) for name, value in self.values.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """Return the message that `to_json` made plain."""
        return cls(data["template"], {name: _restored(value) for name, value in data["values"].items()})


def _(template: str, **values: object) -> Message:
    """Return a message. `template` must be a literal, so that Babel finds it."""
    return Message(template, values)


def verbatim(text: str) -> Message:
    """Return a message that is the same in both languages, such as a program's own output."""
    return Message("{text}", {"text": text}) if text else Message("")


def listing(items: Iterable[object], none: Sentence | None = None, limit: int = 12) -> Message:
    """Return items separated by commas; `none` when there are none, and how many more there are beyond `limit`."""
    items = list(items)
    if not items:
        return Message("{none}", {"none": none or _("none")})
    shown = lines(items[:limit], separator=", ")
    return _("{shown} and {count} more", shown=shown, count=len(items) - limit) if len(items) > limit else shown


def lines(parts: Iterable[object], separator: str = "\n") -> Message:
    """Return several sentences as one message, one per line."""
    parts = list(parts)
    return Message(separator.join(f"{{p{n}}}" for n in range(len(parts))), {f"p{n}": p for n, p in enumerate(parts)})


def render(value: object, lang: str) -> str:
    """Return a value of a message as text."""
    return value.of(lang) if isinstance(value, Sentence) else str(value)


def _plain(value: object) -> object:
    return value.to_json() if isinstance(value, Message) else str(value)


def _restored(value: Any) -> object:
    return Message.from_json(value) if isinstance(value, dict) else value


@functools.cache
def _chinese() -> NullTranslations:
    """Return the Chinese catalogs, read as they lie in the repository: nothing has to be compiled."""
    from babel.messages.pofile import read_po  # only where Chinese is shown

    texts: dict[str, str] = {}
    for catalog in filter(Path.exists, CATALOGS):
        with catalog.open("rb") as file:
            texts |= {str(m.id): str(m.string) for m in read_po(file, locale="zh") if m.id and m.string and not m.fuzzy}
    return _Catalog(texts)


class _Catalog(NullTranslations):
    """Translations by message; an English one without translation stays English."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        return self._texts.get(message, message)


def language(environ: Mapping[str, str]) -> str:
    """Return "zh" where the locale is Chinese, else "en"."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
