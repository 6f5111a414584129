"""The documented steps of a lab: fenced blocks whose title says where they belong."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from labs.engine.errors import LabError
from labs.engine.nearest import nearest

_TITLE = re.compile(r"""\btitle=(?:"([^"]*)"|'([^']*)')""")
_SNIPPET = re.compile(r"""^(?P<indent>[ \t]*)-+8<-+[ \t]+(["'])(?P<file>.+?)\2[ \t]*$""")
_HOST_LIKE = re.compile(r"f0-\d+")


@dataclass(frozen=True)
class Fence:
    """A fenced block as it stands on the page. Equal to one elsewhere with the same words."""

    info: str
    body: str
    line: int = field(compare=False)
    section: str = field(compare=False)
    indented: bool = field(default=False, compare=False)

    @property
    def title(self) -> str:
        """The title, which learners see as the block's header."""
        found = _TITLE.search(self.info)
        return (found[1] or found[2] or "").strip() if found else ""


@dataclass(frozen=True)
class Step:
    """Something to do: a script to run on the hosts, or a file to write there."""

    number: int
    section: str
    hosts: tuple[str, ...]
    path: str | None
    body: str
    line: int


def fences(page: Path) -> list[Fence]:
    """All fenced blocks of a page, in their order."""
    return [fence for fence in _blocks(page) if not fence.indented]


def parse_steps(page: Path, hosts: Collection[str], snippets: Path) -> list[Step]:
    """The steps of a page. `snippets` is the folder that included files are named from."""
    steps: list[Step] = []
    problems: list[str] = []
    for fence in _blocks(page):
        try:
            target = _target(fence.title, hosts)
            if target is None:
                continue
            if fence.indented:
                raise LabError(
                    "course-files",
                    "the step is in an indented text, where it is not found: start it at the left margin",
                )
            body = _with_snippets(fence.body, snippets)
            if not body.strip():
                raise LabError("course-files", "the step is empty")
            steps.append(Step(len(steps) + 1, fence.section, *target, body, fence.line))
        except LabError as error:
            problems.append(f"{page}:{fence.line}: {error.message}")
    if problems:
        raise LabError("course-files", "\n".join(problems))
    return steps


def _blocks(page: Path) -> Iterator[Fence]:
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
    # Text in an admonition is indented: CommonMark sees one code block there, with the fences as its words.
    for offset, line in enumerate(token.content.splitlines()):
        if line.lstrip().startswith(("```", "~~~")) and _TITLE.search(line):
            yield Fence(line.strip(" `~"), "", first_line + offset, section, indented=True)


def _target(title: str, hosts: Collection[str]) -> tuple[tuple[str, ...], str | None] | None:
    """The hosts and the path a title names; None for a block that is for reading."""
    listed, colon, path = title.partition(":")
    names = tuple(name.strip() for name in listed.split(","))
    unknown = next((name for name in names if name not in hosts), None)
    if unknown is None:
        if colon and not path.strip().startswith("/"):
            raise LabError("course-files", f"'{title}' needs an absolute path after the colon")
        return names, path.strip() or None
    if _HOST_LIKE.fullmatch(unknown):
        raise LabError("course-files", f"there is no host '{unknown}'.{nearest(unknown, hosts)}")
    if any(re.match(rf"{re.escape(host)}\b", title) for host in hosts):
        raise LabError("course-files", f"the title '{title}' starts with a host but is no list of hosts")
    return None


def _with_snippets(body: str, snippets: Path) -> str:
    lines: list[str] = []
    for line in body.removesuffix("\n").split("\n"):
        found = _SNIPPET.match(line)
        lines += [line] if found is None else [found["indent"] + part for part in _snippet(snippets, found["file"])]
    return "\n".join(lines) + "\n"


def _snippet(snippets: Path, name: str) -> list[str]:
    file = (snippets / name).resolve()
    if not file.is_file() or not file.is_relative_to(snippets.resolve()):
        raise LabError("course-files", f"there is no {snippets.name}/{name} to include")
    return file.read_text(encoding="utf-8").splitlines()
