"""The pages and the repository as tests read them."""

import re
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SUFFIXES = {"en": "", "zh": ".zh"}


def page(name: str, lang: str) -> Path:
    """The page `name` (below docs/, without ending) in a language."""
    return REPO / "docs" / f"{name}{SUFFIXES[lang]}.md"


def tables(text: str) -> list[list[list[str]]]:
    """All tables of a page: rows of cells, without headers."""
    lines = groupby(text.splitlines(), lambda line: line.startswith("|"))
    return [[_cells(line) for line in list(rows)[2:]] for is_table, rows in lines if is_table]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def first_columns(text: str) -> list[list[str]]:
    """The first cell of each row of each table, without the marks of code."""
    return [[row[0].strip("`") for row in table] for table in tables(text)]


def section(text: str, heading: str) -> str:
    """A section of a page, by its heading, up to the next one that is no deeper."""
    level = heading.split(" ", 1)[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.M | re.S)
    return found[1] if found else ""


def repository_files(*patterns: str) -> Iterator[Path]:
    """The files that are, or are about to be, in the repository: neither links nor what is ignored."""
    command = ["git", "-c", f"safe.directory={REPO}", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True).stdout.splitlines()
    return (path for path in (REPO / name for name in names) if path.is_file() and not path.is_symlink())
