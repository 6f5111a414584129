"""Components: when they are built again, and what builds leave that fail, are interrupted or run at the same time."""

import os
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from docker import DockerClient

from labs.engine.cache import Cache
from labs.engine.course.edition import (
    Component,
    Edition,
    GoComponent,
    JlinkComponent,
    MavenComponent,
    MavenRepository,
    PipComponent,
    Role,
)
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.software.builders.toolchain import Toolchain
from labs.engine.software.components import Builder, recipe_digest
from labs.engine.waiting import wait_until
from tests.engine.conftest import REPO, Program
from tests.engine.software.conftest import MakeImage

TOOL = GoComponent(version="1.2", package=".", output="tool", links=["alias"], stamp={"main.version": "1.2"})
OTHER = GoComponent(version="3.4", package="tool")
EDITION = Edition(debian="trixie", components={"tool": TOOL, "other": OTHER}, images={})
TOOLCHAIN = Toolchain(None, lambda: "no image")  # Go needs none
Usage = namedtuple("Usage", ["total", "used", "free"])
Go = Callable[[str], Path]

# The `go` of these tests: says its version; "builds" by writing what it was told into the file after -o.
GO = """\
case $1 in
env) echo '{"GOVERSION": "go1.99.1"}'; exit ;;
clean) exit ;;
esac
name=$(basename "$PWD")
echo "$name" >> "$BUILDS"
%s
previous=
for argument; do
    case $previous in -o) target=$argument ;; esac
    previous=$argument
done
case $target in */) target=$target$name ;; esac
echo "$@" > "$target"
"""
BUILD = """\
import sys
from pathlib import Path
from labs.engine.cache import Cache
from labs.engine.events import Events
from labs.engine.software.components import Builder
from tests.engine.software.test_components import EDITION, TOOLCHAIN
Builder(Path(sys.argv[1]), Cache(Path(sys.argv[2])), EDITION).ensure(["tool"], TOOLCHAIN, Events())
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo/vagrant/components/tool/stubs").mkdir(parents=True)
    (tmp_path / "repo/vagrant/components/tool/go.mod").write_text("module tool\n")
    (tmp_path / "repo/vagrant/components/tool/stubs/vpc.go").write_text("package vpc\n")
    (tmp_path / "repo/vagrant/components/other").mkdir()
    return tmp_path / "repo"


@pytest.fixture
def builder(repo: Path, cache: Cache) -> Builder:
    return Builder(repo, cache, EDITION)


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each build."""
    file = tmp_path / "builds"
    file.touch()
    monkeypatch.setenv("BUILDS", str(file))
    return file


@pytest.fixture
def go(program: Program, builds: Path) -> Go:
    """Puts a `go` on PATH that does this before it builds."""
    return lambda script: program("go", GO % script)


def refusal(builder: Builder, events: Events, name: str = "tool") -> LabError:
    with pytest.raises(LabError) as raised:
        builder.ensure([name], TOOLCHAIN, events)
    return raised.value


def test_a_digest_stays_the_same_while_nothing_changes(repo: Path) -> None:
    assert recipe_digest(repo, "tool", TOOL) == recipe_digest(repo, "tool", TOOL)


@pytest.mark.parametrize(
    "change", [{"version": "1.3"}, {"stamp": {}}, {"links": []}, {"package": "./cmd"}, {"cgo": True}]
)
def test_another_recipe_is_another_component(repo: Path, change: dict[str, object]) -> None:
    assert recipe_digest(repo, "tool", TOOL.model_copy(update=change)) != recipe_digest(repo, "tool", TOOL)


@pytest.mark.parametrize("file", ["go.mod", "stubs/vpc.go", "go.sum"])
def test_another_wrapper_is_another_component(repo: Path, file: str) -> None:
    before = recipe_digest(repo, "tool", TOOL)
    (repo / "vagrant/components/tool" / file).write_text("something else\n")
    assert recipe_digest(repo, "tool", TOOL) != before


def test_a_component_is_missing_until_it_is_built(builder: Builder, go: Go, events: Events) -> None:
    go("")
    assert builder.missing(["tool", "other"]) == ["tool", "other"]
    builder.ensure(["tool"], TOOLCHAIN, events)
    assert builder.missing(["tool", "other"]) == ["other"]


def test_what_is_in_the_cache_is_not_built(builder: Builder, go: Go, events: Events, builds: Path) -> None:
    go("")
    builder.ensure(["tool"], TOOLCHAIN, events)
    builder.ensure(["tool"], TOOLCHAIN, events)
    assert builds.read_text() == "tool\n"


@pytest.mark.usefixtures("no_programs")
def test_what_is_in_the_cache_needs_no_go(builder: Builder, events: Events) -> None:
    builder.folder("tool").mkdir(parents=True)
    builder.ensure(["tool"], TOOLCHAIN, events)


def test_build_caches_are_dropped_after_success(builder: Builder, go: Go, events: Events, cache: Cache) -> None:
    go('mkdir -p "$GOCACHE"')
    builder.ensure(["tool"], TOOLCHAIN, events)
    assert not (cache.root / "build").exists()


def test_build_caches_are_kept_on_request(repo: Path, go: Go, events: Events, cache: Cache) -> None:
    go('mkdir -p "$GOCACHE"')
    Builder(repo, cache, EDITION, keep_build_cache=True).ensure(["tool"], TOOLCHAIN, events)
    assert (cache.root / "build/gocache").exists()


def test_a_failed_build_shows_its_last_lines_and_its_log(
    builder: Builder, go: Go, events: Events, cache: Cache
) -> None:
    go("seq 1 9; echo 'main.go:7: undefined: x' >&2; exit 1")
    error = refusal(builder, events)
    assert str(error) == "tool could not be built:\n6\n7\n8\n9\nmain.go:7: undefined: x"
    assert str(error.hint) == f"The complete log is {cache.root}/log/tool.log."
    assert builder.missing(["tool"]) == ["tool"]


def test_what_a_failed_build_has_compiled_is_kept(builder: Builder, go: Go, events: Events, cache: Cache) -> None:
    go('mkdir -p "$GOCACHE"; exit 1')
    refusal(builder, events)
    assert (cache.root / "build/gocache").exists()


@pytest.fixture
def little_room(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with 5 GiB free, and modules that take 7."""
    (repo / "vagrant/components/tool/go.sum").write_text("example.org/a v1 h1:\n" * 1024)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 << 30, 95 << 30, 5 << 30))


@pytest.mark.usefixtures("little_room")
def test_too_small_a_disk_is_an_error_before_anything_is_built(
    builder: Builder, go: Go, events: Events, cache: Cache, builds: Path
) -> None:
    go("")
    error = refusal(builder, events)
    assert error.code == "disk-space"
    assert str(error) == f"Building the components needs 7 GiB in {cache.root}, but only 5 GiB are free."
    assert "F0_CACHE" in str(error.hint)
    assert builds.read_text() == ""


@pytest.mark.usefixtures("little_room")
def test_a_component_with_few_modules_needs_little_room(builder: Builder, go: Go, events: Events) -> None:
    go("")
    builder.ensure(["other"], TOOLCHAIN, events)
    assert builder.missing(["other"]) == []


@pytest.mark.usefixtures("little_room")
def test_a_build_that_goes_on_needs_no_more_room(builder: Builder, go: Go, events: Events, cache: Cache) -> None:
    go("")
    (cache.root / "build").mkdir()
    builder.ensure(["tool"], TOOLCHAIN, events)
    assert builder.missing(["tool"]) == []


OTHER_KINDS: dict[str, Component] = {
    "maven": MavenComponent(kind="maven", version="1"),
    "maven-repository": MavenRepository(kind="maven-repository", version="1", source="labs/x/source"),
    "pip": PipComponent(kind="pip", version="1", python="3.13"),
    "jlink": JlinkComponent(kind="jlink", version="1", modules=["java.base"]),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_every_kind_is_built_into_the_cache_without_go(
    repo: Path,
    cache: Cache,
    events: Events,
    client: DockerClient,
    tools_with: MakeImage,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    tag = tools_with({"mvn": "", "python3": "", "jlink": "mkdir /tmp/runtime", "update-ca-certificates": ""})
    monkeypatch.setattr(sys, "executable", str(program("python", "")))
    (repo / "labs/x/source").mkdir(parents=True)
    (repo / "vagrant/components/thing").mkdir()
    roles = {"delivery": Role(packages=["maven"])}
    edition = Edition(
        debian="trixie", components={"thing": OTHER_KINDS[kind]}, images={}, roles=roles, toolchain="delivery"
    )
    builder = Builder(repo, cache, edition)
    builder.ensure(["thing"], Toolchain(client, lambda: tag), events)
    assert builder.missing(["thing"]) == []
    assert [path.name for path in (cache.root / "components").iterdir()] == [builder.folder("thing").name]


def test_other_poms_are_another_repository(repo: Path) -> None:
    recipe = MavenRepository(kind="maven-repository", version="1", source="labs/x/source")
    before = recipe_digest(repo, "thing", recipe)
    (repo / "labs/x/source").mkdir(parents=True)
    (repo / "labs/x/source/pom.xml").touch()
    assert recipe_digest(repo, "thing", recipe) != before


def test_an_interrupted_build_is_no_component_and_the_next_one_succeeds(
    builder: Builder, repo: Path, cache: Cache, go: Go, events: Events, tmp_path: Path
) -> None:
    go(f"touch {tmp_path}/started; exec sleep 60")
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, repo, cache.root],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert wait_until(lambda: (tmp_path / "started").exists(), 20)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) != 0
    assert builder.missing(["tool"]) == ["tool"]
    go("")
    builder.ensure(["tool"], TOOLCHAIN, events)
    assert [path.name for path in (cache.root / "components").iterdir()] == [builder.folder("tool").name]


def test_two_builders_at_once_build_once(repo: Path, cache: Cache, go: Go, events: Events, builds: Path) -> None:
    go("sleep 0.5")
    with ThreadPoolExecutor() as pool:
        both = [
            pool.submit(Builder(repo, cache, EDITION).ensure, ["tool", "other"], TOOLCHAIN, events) for _ in range(2)
        ]
    assert [future.result() for future in both] == [None, None]
    assert builds.read_text() == "tool\nother\n"


def test_a_builder_that_is_done_leaves_the_others_caches_alone(
    repo: Path, cache: Cache, go: Go, events: Events, tmp_path: Path
) -> None:
    go(f'mkdir -p "$GOCACHE/$name"; touch {tmp_path}/$name; [ $name = other ] || sleep 0.7; [ -d "$GOCACHE/$name" ]')
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(Builder(repo, cache, EDITION).ensure, ["tool"], TOOLCHAIN, events)
        assert wait_until((tmp_path / "tool").exists, 20)
        quick = pool.submit(Builder(repo, cache, EDITION).ensure, ["other"], TOOLCHAIN, events)
    assert (slow.result(), quick.result()) == (None, None)
    assert Builder(repo, cache, EDITION).missing(["tool", "other"]) == []
