"""Steps as the engine runs them against the blocks that the study site shows, on every page of a lab."""

import re
from html import unescape
from pathlib import Path

import pytest
from markdown import Markdown
from mkdocs.config import load_config

from labs.engine.course.steps import parse_steps
from labs.engine.course.topology import load_topology
from tests.docs.pages import REPO

PAGES = sorted((REPO / "docs/labs").glob("*.md"))
HOSTS = load_topology(REPO).names
BLOCK = re.compile(r'<span class="filename">(.*?)</span><pre>(.*?)</pre>', re.S)
STEP = re.compile(r"f0-\d+(, ?f0-\d+)*(:.+)?")


@pytest.fixture(scope="module")
def markdown() -> Markdown:
    config = load_config(str(REPO / "mkdocs.yml"))
    return Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def _shown(markdown: Markdown, page: Path) -> list[tuple[str, str]]:
    html = markdown.reset().convert(page.read_text())
    blocks = [(_text(title), _text(body).strip("\n") + "\n") for title, body in BLOCK.findall(html)]
    return [(title.replace(" ", ""), body) for title, body in blocks if STEP.fullmatch(title)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_site_shows_the_steps_that_are_run(markdown: Markdown, monkeypatch: pytest.MonkeyPatch, page: Path) -> None:
    monkeypatch.chdir(REPO)
    steps = parse_steps(page, HOSTS, REPO / "manifests")
    run = [(",".join(step.hosts) + (f":{step.path}" if step.path else ""), step.body) for step in steps]
    assert _shown(markdown, page) == run
    assert run
