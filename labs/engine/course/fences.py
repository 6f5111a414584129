"""The fenced blocks of a page, as CommonMark sees them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TITLE = re.compile(r"""\btitle=(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page. Equal to another one with the same info string and body, wherever that is."""

    info: str
    body: str
    line: int = field(compare=False)
    section: str = field(compare=False)
    indented: bool = field(default=False, compare=False)

    @property
    def title(self) -> str:
        """The title, which learners see as the block's header."""
        title = _TITLE.search(self.info)
        return (title[1] or title[2] or "").strip() if title else ""


def fences(page: Path) -> list[Fence]:
    """Return all fenced blocks of a page, in their order."""
    return [fence for fence in all_fences(page) if not fence.indented]


def all_fences(page: Path) -> Iterator[Fence]:
    """Yield all fenced blocks of a page, also those with a title in indented text (marked as `indented`, no body)."""
    section = ""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for index, token in enumerate(tokens):
        first_line = token.map[0] + 1 if token.map else 0
        if token.type == "heading_open":
            section = tokens[index + 1].content
        if token.type == "fence":
            yield Fence(token.info.strip(), token.content, first_line, section)
        if token.type == "code_block":
            yield from _indented_fences(token, first_line, section)


def _indented_fences(token: Token, first_line: int, section: str) -> Iterator[Fence]:
    # Text in an admonition is indented: CommonMark sees a single code block there, with the fences as its content.
    for offset, line in enumerate(token.content.splitlines()):
        if line.lstrip().startswith(("```", "~~~")) and _TITLE.search(line):
            yield Fence(line.strip(" `~"), "", first_line + offset, section, indented=True)
