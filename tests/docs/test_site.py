"""The study site's own copy of Mermaid: got from npm, kept, and left out when npm can't get it."""

import base64
import hashlib
import io
import logging
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from labs.engine.cache import Cache
from labs.engine.site import mermaid as site
from tests.docs.pages import REPO

CONTENT = {"package/dist/mermaid.tiny.js": b"var mermaid = {};", "package/LICENSE": b"The MIT License"}
SITE = {site.SCRIPT: b"var mermaid = {};", "assets/mermaid-license.txt": b"The MIT License"}


def _package() -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as archive:
        for name, content in CONTENT.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return output.getvalue()


class Npm:
    """An npm that notes how often it was asked, in a folder that is all of PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._calls = folder, folder / "calls"
        folder.mkdir()

    def does(self, script: str) -> None:
        program = self._folder / "npm"
        program.write_text(f'#!/bin/sh\necho "$@" >> {self._calls}\n{script}\n')
        program.chmod(0o755)

    @property
    def calls(self) -> int:
        return len(self._calls.read_text().splitlines()) if self._calls.exists() else 0


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Npm]:
    package = tmp_path / "given.tgz"
    package.write_bytes(_package())
    monkeypatch.setattr(site, "SHA512", base64.b64encode(hashlib.sha512(_package()).digest()).decode())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("F0_CACHE", str(tmp_path / "cache"))
    fake = Npm(tmp_path / "bin")
    fake.does(f"/bin/cp {package} mermaid-js-tiny.tgz")
    site.mermaid.cache_clear()
    yield fake
    site.mermaid.cache_clear()


def test_npm_gives_script_and_licence(npm: Npm, tmp_path: Path) -> None:
    assert site.mermaid(Cache(tmp_path / "cache")) == SITE


def test_the_second_build_asks_npm_for_nothing(npm: Npm, tmp_path: Path) -> None:
    site.mermaid(Cache(tmp_path / "cache"))
    site.mermaid.cache_clear()
    npm.does("exit 1")
    assert site.mermaid(Cache(tmp_path / "cache")) == SITE
    assert npm.calls == 1


def test_a_damaged_copy_is_replaced(npm: Npm, tmp_path: Path) -> None:
    site.mermaid(Cache(tmp_path / "cache"))
    site.mermaid.cache_clear()
    (kept,) = (tmp_path / "cache/docs").iterdir()
    kept.write_bytes(b"half of it")
    assert site.mermaid(Cache(tmp_path / "cache")) == SITE
    assert npm.calls == 2


@pytest.mark.parametrize(
    "script",
    ["exit 1", "exit 0", "echo something else > other.tgz"],
    ids=["fails", "gives nothing", "gives another package"],
)
def test_without_a_genuine_package_there_is_a_note_and_no_warning(
    npm: Npm, script: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    npm.does(script)
    with caplog.at_level(logging.INFO, "mkdocs"):
        assert site.mermaid(Cache(tmp_path / "cache")) == {}
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert not (tmp_path / "cache").exists()


def test_without_npm_there_is_a_note_and_no_warning(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with caplog.at_level(logging.INFO, "mkdocs"):
        assert site.mermaid(Cache(tmp_path / "cache")) == {}
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_the_site_has_the_copy_and_its_pages_load_it_once(npm: Npm, tmp_path: Path) -> None:
    config = load_config(str(REPO / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
    build(config)
    assert {place: (tmp_path / "site" / place).read_bytes() for place in SITE} == SITE
    pages = [tmp_path / "site" / language / "labs/flannel/index.html" for language in ("", "zh")]
    assert [page.read_text().count(site.SCRIPT) for page in pages] == [1, 1]


def test_a_folder_that_is_not_ours_gets_no_copy(npm: Npm, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/thesis.txt").touch()
    assert site.mermaid(Cache(tmp_path / "cache")) == {}
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["thesis.txt"]


def test_a_strict_build_passes_without_npm(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path), "F0_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    subprocess.run(command, cwd=REPO, env=environment, check=True)
    assert "mermaid.min.js" not in (tmp_path / "site/labs/flannel/index.html").read_text()
