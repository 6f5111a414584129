"""What hosts need of this machine, and how a lack of it is reported."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from labs.engine.cache import Cache
from labs.engine.errors import LabError
from labs.engine.hosts import resources
from labs.engine.hosts.resources import GIB, probe
from labs.engine.messages import verbatim


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def available(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=int(size)))


def free(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=int(size)))


def test_enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, 2 * GIB)
    finding = resources.memory()
    assert (str(finding.name), str(finding.result), finding.error) == ("Memory", "2 GiB available", None)


def test_too_little_memory_stops_hosts_from_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, 1.5 * GIB)
    finding = resources.memory()
    assert str(finding.result) == "The hosts need 2 GiB of memory; 1.5 GiB are available."
    assert finding.required
    assert finding.error is not None
    assert finding.error.code == "memory"


def test_enough_disk_space(monkeypatch: pytest.MonkeyPatch, cache: Cache) -> None:
    free(monkeypatch, 3.25 * GIB)
    finding = resources.disk(cache)
    assert (str(finding.result), finding.error) == (f"3.2 GiB free in {cache.root}", None)


def test_too_little_disk_space_is_reported_with_the_folder(monkeypatch: pytest.MonkeyPatch, cache: Cache) -> None:
    free(monkeypatch, 0.5 * GIB)
    finding = resources.disk(cache)
    assert str(finding.result) == f"The hosts need 3 GiB of disk space; {cache.root} has 0.5 GiB left."
    assert finding.required
    assert finding.error is not None
    assert finding.error.code == "disk-space"


@pytest.mark.parametrize(("limit", "code"), [("1024", None), ("128", "inotify")])
def test_few_inotify_instances_are_reported_but_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, code: str | None
) -> None:
    (tmp_path / "limit").write_text(f"{limit}\n")
    monkeypatch.setattr(resources, "INOTIFY_LIMIT", tmp_path / "limit")
    finding = resources.inotify()
    assert (finding.error.code if finding.error else None) == code
    assert limit in str(finding.result)
    assert finding.required == (code is None)


def test_a_probe_turns_an_error_into_a_finding() -> None:
    def look() -> None:
        raise LabError("vagrant", "It is missing.", "Install it.")

    finding = probe(verbatim("Vagrant"), look)  # type: ignore[arg-type]
    assert str(finding.result) == "It is missing."
    assert finding.error is not None
    assert str(finding.error.hint) == "Install it."
