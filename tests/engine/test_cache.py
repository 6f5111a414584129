"""The cache: marked as ours, and only what is ours is deleted."""

from pathlib import Path

import pytest

from labs.engine import cache as module
from labs.engine.cache import FOLDERS, MARK, SIGNATURE, Cache
from labs.engine.errors import LabError


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_claimed_cache_is_left_out_of_backups(cache: Cache) -> None:
    cache.claim()
    assert (cache.root / MARK).read_text().startswith(SIGNATURE)


def test_a_folder_that_holds_something_else_is_refused(cache: Cache) -> None:
    cache.root.mkdir()
    (cache.root / "lost+found").mkdir()
    with pytest.raises(LabError) as raised:
        cache.claim()
    assert raised.value.code == "foreign-folder"
    assert [path.name for path in cache.root.iterdir()] == ["lost+found"]


def test_the_cache_of_another_program_is_refused(cache: Cache) -> None:
    cache.root.mkdir()
    (cache.root / MARK).write_text(f"{SIGNATURE}\n# This file is a cache directory tag created by pip.\n")
    with pytest.raises(LabError):
        cache.purge()
    assert (cache.root / MARK).exists()


def test_the_default_cache_of_an_earlier_version_is_taken_over(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFAULT_CACHE", cache.root)
    (cache.root / "components").mkdir(parents=True)
    cache.claim()
    cache.require_ours()


def test_purging_removes_a_cache_that_is_all_ours(cache: Cache) -> None:
    cache.claim()
    (cache.root / "components/kubernetes/bin").mkdir(parents=True)
    cache.purge()
    assert not cache.root.exists()


def test_purging_leaves_what_is_not_ours(cache: Cache) -> None:
    cache.claim()
    (cache.root / "thesis.odt").touch()
    for folder in FOLDERS:
        (cache.root / folder).mkdir(exist_ok=True)
    cache.purge()
    assert [path.name for path in cache.root.iterdir()] == ["thesis.odt"]


def test_purging_does_not_follow_a_symlink(cache: Cache, tmp_path: Path) -> None:
    cache.claim()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.odt").touch()
    (cache.root / "components").symlink_to(tmp_path / "mine")
    cache.purge()
    assert (tmp_path / "mine/thesis.odt").exists()


def test_purging_removes_read_only_folders(cache: Cache) -> None:
    cache.claim()
    module = cache.root / "build/gomod/module"
    module.mkdir(parents=True)
    (module / "go.mod").touch()
    module.chmod(0o555)
    cache.purge()
    assert not cache.root.exists()


def test_purging_a_cache_that_does_not_exist_is_harmless(cache: Cache) -> None:
    cache.purge()
    assert not cache.root.exists()


def test_free_space_is_measured_before_the_cache_exists(tmp_path: Path) -> None:
    assert Cache(tmp_path / "not/yet/there").free_disk() > 0
