"""Components: what decides that one is built again, and what a build that fails, stops or has company leaves."""

import os
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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
from labs.engine.hosts.readiness import wait_until
from labs.engine.software.builders.go import find_go
from labs.engine.software.builders.toolchain import Toolchain
from labs.engine.software.components import Builder, recipe_digest
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import REPO, Program

TOOL = GoComponent(version="1.2", package=".", output="tool", links=["alias"], stamp={"main.version": "1.2"})
OTHER = GoComponent(version="3.4", package="tool")
EDITION = Edition(debian="trixie", components={"tool": TOOL, "other": OTHER, "kubernetes": TOOL}, images={})
TOOLCHAIN = Toolchain(lambda: "no image")  # Go needs none
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
from rich.console import Console
from labs.engine.software.components import Builder
from labs.engine.terminal.progress import progress
from tests.engine.software.test_components import EDITION, TOOLCHAIN
with progress(Console()) as tasks:
    Builder(Path(sys.argv[1]), Path(sys.argv[2]), EDITION).provide(["tool"], TOOLCHAIN, tasks)
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo/vagrant/components/tool/stubs").mkdir(parents=True)
    (tmp_path / "repo/vagrant/components/tool/go.mod").write_text("module tool\n")
    (tmp_path / "repo/vagrant/components/tool/stubs/vpc.go").write_text("package vpc\n")
    (tmp_path / "repo/vagrant/components/other").mkdir()
    return tmp_path / "repo"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def builder(repo: Path, cache: Path) -> Builder:
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


def refusal(builder: Builder, tasks: Tasks, name: str = "tool") -> LabError:
    with pytest.raises(LabError) as raised:
        builder.provide([name], TOOLCHAIN, tasks)
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


def test_a_component_is_missing_until_it_is_built(builder: Builder, go: Go, tasks: Tasks) -> None:
    go("")
    assert builder.missing(["tool", "other"]) == ["tool", "other"]
    builder.provide(["tool"], TOOLCHAIN, tasks)
    assert builder.missing(["tool", "other"]) == ["other"]


def test_a_component_has_its_program_and_its_links(builder: Builder, go: Go, tasks: Tasks) -> None:
    go("")
    builder.provide(["tool"], TOOLCHAIN, tasks)
    programs = builder.folder("tool") / "bin"
    assert sorted(path.name for path in programs.iterdir()) == ["alias", "tool"]
    assert (programs / "alias").readlink() == Path("tool")


def test_a_build_is_stamped_and_repeatable(builder: Builder, go: Go, tasks: Tasks) -> None:
    go("")
    builder.provide(["tool"], TOOLCHAIN, tasks)
    told = (builder.folder("tool") / "bin/tool").read_text().split()
    assert told[:4] == ["build", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    assert " ".join(told).find("-ldflags -s -w -buildid= -X main.version=1.2") > 0


def test_a_build_keeps_the_users_own_proxy(
    builder: Builder, go: Go, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    go('echo "proxy $GOPROXY flags $GOFLAGS cache $GOMODCACHE"')
    builder.provide(["tool"], TOOLCHAIN, tasks)
    log = (cache / "log/tool.log").read_text()
    assert f"proxy https://proxy.example flags  cache {cache}/build/gomod\n" in log


def test_what_is_in_the_cache_is_not_built(builder: Builder, go: Go, tasks: Tasks, builds: Path) -> None:
    go("")
    builder.provide(["tool"], TOOLCHAIN, tasks)
    builder.provide(["tool"], TOOLCHAIN, tasks)
    assert builds.read_text() == "tool\n"


@pytest.mark.usefixtures("no_programs")
def test_what_is_in_the_cache_needs_no_go(builder: Builder, tasks: Tasks) -> None:
    builder.folder("tool").mkdir(parents=True)
    builder.provide(["tool"], TOOLCHAIN, tasks)


def test_build_caches_are_dropped_after_success(builder: Builder, go: Go, tasks: Tasks, cache: Path) -> None:
    go('mkdir -p "$GOCACHE"')
    builder.provide(["tool"], TOOLCHAIN, tasks)
    assert not (cache / "build").exists()


def test_build_caches_are_kept_for_those_who_ask(
    builder: Builder, go: Go, tasks: Tasks, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F0_KEEP_BUILD_CACHE", "1")
    go('mkdir -p "$GOCACHE"')
    builder.provide(["tool"], TOOLCHAIN, tasks)
    assert (cache / "build/gocache").exists()


def test_a_failed_build_tells_its_last_lines_and_its_log(builder: Builder, go: Go, tasks: Tasks, cache: Path) -> None:
    go("seq 1 9; echo 'main.go:7: undefined: x' >&2; exit 1")
    error = refusal(builder, tasks)
    assert error.message == "tool could not be built:\n6\n7\n8\n9\nmain.go:7: undefined: x"
    assert error.hint == f"The whole log is {cache}/log/tool.log."
    assert builder.missing(["tool"]) == ["tool"]


def test_what_a_failed_build_has_compiled_is_kept(builder: Builder, go: Go, tasks: Tasks, cache: Path) -> None:
    go('mkdir -p "$GOCACHE"; exit 1')
    refusal(builder, tasks)
    assert (cache / "build/gocache").exists()


@pytest.mark.parametrize(
    "line",
    [
        "compile: writing output: write $WORK/b001/_pkg_.a: no space left on device",
        "/usr/bin/ld: final link failed: No space left on device",
    ],
)
def test_a_full_disk_is_told(builder: Builder, go: Go, tasks: Tasks, line: str) -> None:
    go(f"echo '{line}'; exit 1")
    error = refusal(builder, tasks)
    assert error.message == "The disk is full: tool could not be built."
    assert error.hint == "Free some space and try again: what is built stays."


@pytest.mark.parametrize(
    "line",
    [
        'go: a.example/x@v1: Get "https://proxy.example/x": dial tcp 192.0.2.1:443: i/o timeout',
        'go: a.example/x@v1: Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host',
        "go: a.example/x@v1: reading https://proxy.example/x: 403 Forbidden",
        "go: a.example/x@v1: reading https://proxy.example/x: 502 Bad Gateway",
        "go: a.example/x@v1: connect: connection refused",
        "go: a.example/x@v1: net/http: TLS handshake timeout",
    ],
)
def test_a_module_proxy_that_does_not_answer_is_told_with_the_setting(
    builder: Builder, go: Go, tasks: Tasks, line: str
) -> None:
    go(f"echo downloading; echo '{line}'; echo more; exit 1")
    error = refusal(builder, tasks)
    assert error.message == f"Go could not fetch the modules of tool: {line}"
    assert error.hint.startswith("Name a module proxy that this machine reaches (go env -w GOPROXY=…)")


def test_too_small_a_disk_is_told_before_anything_is_built(
    builder: Builder, go: Go, tasks: Tasks, cache: Path, builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go("")
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 << 30, 95 << 30, 5 << 30))
    error = refusal(builder, tasks, "kubernetes")
    assert error.message == f"Building the components needs 12 GiB in {cache}, and 5 GiB are free."
    assert "F0_CACHE" in error.hint
    assert builds.read_text() == ""


OTHER_KINDS: dict[str, Component] = {
    "maven": MavenComponent(kind="maven", version="1"),
    "maven-repository": MavenRepository(kind="maven-repository", version="1", source="labs/x/source"),
    "pip": PipComponent(kind="pip", version="1", python="3.13"),
    "jlink": JlinkComponent(kind="jlink", version="1", modules=["java.base"]),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_every_kind_is_built_into_the_cache_without_go(
    repo: Path, cache: Path, tasks: Tasks, program: Program, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    program("docker", "")
    monkeypatch.setattr(sys, "executable", str(program("python", "")))
    (repo / "vagrant/components/thing").mkdir()
    roles = {"delivery": Role(packages=["maven"])}
    edition = Edition(
        debian="trixie", components={"thing": OTHER_KINDS[kind]}, images={}, roles=roles, toolchain="delivery"
    )
    builder = Builder(repo, cache, edition)
    builder.provide(["thing"], TOOLCHAIN, tasks)
    assert builder.missing(["thing"]) == []
    assert [path.name for path in (cache / "components").iterdir()] == [builder.folder("thing").name]


def test_other_poms_are_another_repository(repo: Path) -> None:
    recipe = MavenRepository(kind="maven-repository", version="1", source="labs/x/source")
    before = recipe_digest(repo, "thing", recipe)
    (repo / "labs/x/source").mkdir(parents=True)
    (repo / "labs/x/source/pom.xml").touch()
    assert recipe_digest(repo, "thing", recipe) != before


def test_go_of_the_system_is_taken_when_it_is_new_enough(go: Go) -> None:
    newest = go("")
    assert find_go() == newest


def test_else_the_go_beside_this_python_is_taken(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = program("go", """echo '{"GOVERSION": "go1.99"}'""").rename(tmp_path / "go")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    program("go", """echo '{"GOVERSION": "go1.19.8"}'""")
    assert find_go() == beside


@pytest.mark.usefixtures("no_programs")
def test_no_go_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(LabError) as raised:
        find_go()
    assert raised.value.message == "Building the components needs Go 1.26 or newer, and there is none."
    assert raised.value.hint == "Run ./setup.sh: it installs one."


def test_an_interrupted_build_is_no_component_and_the_next_one_succeeds(
    builder: Builder, repo: Path, cache: Path, go: Go, tasks: Tasks, tmp_path: Path
) -> None:
    go(f"touch {tmp_path}/started; exec sleep 60")
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, repo, cache],
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
    builder.provide(["tool"], TOOLCHAIN, tasks)
    assert [path.name for path in (cache / "components").iterdir()] == [builder.folder("tool").name]


def test_two_builders_at_once_build_once(repo: Path, cache: Path, go: Go, tasks: Tasks, builds: Path) -> None:
    go("sleep 0.5")
    with ThreadPoolExecutor() as pool:
        both = [
            pool.submit(Builder(repo, cache, EDITION).provide, ["tool", "other"], TOOLCHAIN, tasks) for _ in range(2)
        ]
    assert [future.result() for future in both] == [None, None]
    assert builds.read_text() == "tool\nother\n"


def test_a_builder_that_is_done_leaves_the_others_caches_alone(
    repo: Path, cache: Path, go: Go, tasks: Tasks, tmp_path: Path
) -> None:
    go(f'mkdir -p "$GOCACHE/$name"; touch {tmp_path}/$name; [ $name = other ] || sleep 0.7; [ -d "$GOCACHE/$name" ]')
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(Builder(repo, cache, EDITION).provide, ["tool"], TOOLCHAIN, tasks)
        assert wait_until((tmp_path / "tool").exists, 20)
        quick = pool.submit(Builder(repo, cache, EDITION).provide, ["other"], TOOLCHAIN, tasks)
    assert (slow.result(), quick.result()) == (None, None)
    assert Builder(repo, cache, EDITION).missing(["tool", "other"]) == []
