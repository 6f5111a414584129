"""The Chinese catalogs, brought up to date with the sentences of the code."""

import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from labs.engine.messages import CATALOGS, REPO

# Where the sentences of each catalog are, as patterns of files.
SOURCES: Mapping[Path, tuple[str, ...]] = MappingProxyType(
    dict(zip(CATALOGS, (("tasks.py", "labs/engine/**/*.py"), ("checks/**/*.py",)), strict=True))
)
# Always the same: a date in it would differ after each run.
_HEADER = (
    'msgid ""\nmsgstr ""\n"Language: zh\\n"\n"MIME-Version: 1.0\\n"\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
)


def extract(patterns: tuple[str, ...], repo: Path = REPO) -> Catalog:
    """Return the messages that the code of these files calls `_` with, without translations."""
    template = Catalog()
    for pattern in patterns:
        for file in sorted(repo.glob(pattern)):
            for __, message, comments, context in extract_from_file("python", file, keywords={"_": None}):
                template.add(message, auto_comments=comments, context=context)
    return template


def read(file: Path) -> Catalog:
    """Return a catalog, an empty one where there is no file."""
    if not file.exists():
        return Catalog(locale="zh")
    with file.open("rb") as source:
        return read_po(source, locale="zh")


def update(file: Path, patterns: tuple[str, ...]) -> list[str]:
    """Add new messages to a catalog, and drop those that the code no longer has; return what has no translation.

    A sentence that changed is a new one: its old translation would say something else.
    """
    catalog = read(file)
    catalog.update(extract(patterns), no_fuzzy_matching=True)
    output = io.BytesIO()
    write_po(output, catalog, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_HEADER + output.getvalue().decode(), encoding="utf-8")
    return [str(message.id) for message in catalog if message.id and not message.string]
