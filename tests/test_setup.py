"""setup.sh treats the cache as the engine does. Nothing here installs or starts anything."""

import subprocess
from pathlib import Path

import pytest

from labs.engine.cache import MARK, SIGNATURE, TITLE, Cache
from labs.engine.processes import environment
from labs.engine.settings import DEFAULT_CACHE

SETUP = Path(__file__).resolve().parents[1] / "setup.sh"


def setup(*arguments: str, cache: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(SETUP), *arguments]
    return subprocess.run(command, env=environment(F0_CACHE=str(cache)), capture_output=True, text=True, check=False)


def claim(cache: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f'. "{SETUP}" && claim_cache']
    variables = environment(F0_CACHE=str(cache), **variables)
    return subprocess.run(command, env=variables, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    (tmp_path / "letter.txt").write_text("mine")
    return tmp_path


def test_the_cache_gets_the_engines_mark(tmp_path: Path) -> None:
    claim(tmp_path / "new")
    assert (tmp_path / "new" / MARK).read_text() == f"{SIGNATURE}\n{TITLE}\n"


def test_the_engine_accepts_a_cache_that_setup_created(tmp_path: Path) -> None:
    claim(tmp_path / "new")
    Cache(tmp_path / "new").require_ours()


def test_setup_accepts_a_cache_that_the_engine_created(tmp_path: Path) -> None:
    Cache(tmp_path / "new").claim()
    assert claim(tmp_path / "new").returncode == 0


def test_an_empty_folder_becomes_the_cache(tmp_path: Path) -> None:
    claim(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [MARK, "log"]


def test_a_folder_with_other_files_is_refused(foreign: Path) -> None:
    result = setup(cache=foreign)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{foreign} was not created by f0 labs" in result.stderr
    assert [path.name for path in foreign.iterdir()] == ["letter.txt"]


def test_another_programs_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text(f"{SIGNATURE}\n# Another program's cache.\n")
    assert claim(tmp_path).returncode == 2


def test_a_file_is_refused(foreign: Path) -> None:
    assert "was not created by f0 labs" in claim(foreign / "letter.txt").stderr


def test_the_default_cache_needs_no_mark(tmp_path: Path) -> None:
    (tmp_path / "f0-labs" / "components").mkdir(parents=True)
    assert claim("", XDG_CACHE_HOME=str(tmp_path)).returncode == 0


def test_an_empty_variable_counts_as_unset() -> None:
    assert f"Logs are in {DEFAULT_CACHE}/log." in setup("--help", cache="").stdout


def test_a_relative_folder_is_relative_to_where_setup_is_called(tmp_path: Path) -> None:
    claim("here", cwd=tmp_path)
    assert (tmp_path / "here" / MARK).exists()


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    claim("~/cache", HOME=str(tmp_path))
    assert (tmp_path / "cache" / MARK).exists()


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    result = setup("--fast", cache=tmp_path)
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, "setup.sh: Unknown option: --fast")
