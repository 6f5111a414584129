"""Go: which command is used, and that the user's settings don't change what it builds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labs.engine.course.edition import GoComponent
from labs.engine.errors import LabError
from labs.engine.software.builders import go
from labs.engine.software.builders.job import Job
from tests.engine.conftest import Program

TOOL = GoComponent(version="1.2", package=".", output="tool", links=["alias"], stamp={"main.version": "1.2"})
# This one "builds" by writing its arguments into the file after -o.
GO = """\
case $1 in env) echo '{"GOVERSION": "go1.99.1"}'; exit ;; esac
previous=
for argument; do
    case $previous in -o) target=$argument ;; esac
    previous=$argument
done
echo "$@" > "$target"
"""


def settings(scratch: Path, *names: str) -> dict[str, str]:
    """What the real Go makes of the environment of a build."""
    command = go.find_go()
    environment = go.go_environment(command, scratch, cgo=False)
    output = subprocess.run([command, "env", "-json", *names], env=environment, capture_output=True, check=True).stdout
    return dict(json.loads(output))


def test_a_component_has_its_program_and_its_links(job: Job, program: Program) -> None:
    program("go", GO)
    go.build(job, TOOL)
    assert sorted(path.name for path in (job.part / "bin").iterdir()) == ["alias", "tool"]
    assert (job.part / "bin/alias").readlink() == Path("tool")


def test_a_build_is_stamped_and_repeatable(job: Job, program: Program) -> None:
    program("go", GO)
    go.build(job, TOOL)
    arguments = (job.part / "bin/tool").read_text()
    assert arguments.startswith("build -trimpath -buildvcs=false -mod=readonly ")
    assert "-ldflags -s -w -buildid= -X main.version=1.2" in arguments


def test_a_program_that_is_partly_c_is_linked_statically(job: Job, program: Program) -> None:
    program("go", GO)
    go.build(job, TOOL.model_copy(update={"cgo": True}))
    arguments = (job.part / "bin/tool").read_text()
    assert "-tags netgo,osusergo" in arguments
    assert "-linkmode external -extldflags -static" in arguments


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("GOOS", "windows"),
        ("GOARCH", "mips"),
        ("GOFLAGS", "-tags=users"),
        ("GO111MODULE", "off"),
        ("CGO_CFLAGS", "-O0"),
    ],
)
def test_the_users_environment_does_not_change_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, users: str
) -> None:
    before = settings(tmp_path, name)
    monkeypatch.setenv(name, users)
    assert settings(tmp_path, name) == before
    assert before[name] != users


def test_a_goroot_of_another_go_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOROOT", str(tmp_path / "nothing-here"))
    assert settings(tmp_path, "GOVERSION")["GOVERSION"].startswith("go1.")


def test_of_what_go_env_has_saved_only_the_mirrors_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saved").write_text("GOPROXY=https://saved.example\nGOFLAGS=-tags=users\nGOOS=windows\n")
    monkeypatch.setenv("GOENV", str(tmp_path / "saved"))
    monkeypatch.delenv("GOPROXY", raising=False)
    applied = settings(tmp_path, "GOPROXY", "GOFLAGS", "GOOS")
    assert applied == {"GOPROXY": "https://saved.example", "GOFLAGS": "", "GOOS": "linux"}


def test_caches_are_in_the_builds_own_folder(tmp_path: Path) -> None:
    assert settings(tmp_path, "GOMODCACHE", "GOCACHE") == {
        "GOMODCACHE": f"{tmp_path}/gomod",
        "GOCACHE": f"{tmp_path}/gocache",
    }


def test_the_systems_go_is_used_when_it_is_new_enough(program: Program) -> None:
    newest = program("go", GO)
    assert go.find_go() == newest


@pytest.mark.parametrize("old", ["""echo '{"GOVERSION": "go1.19.8"}'""", "exit 1", "echo nonsense"])
def test_otherwise_the_go_beside_this_python_is_used(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    beside = program("go", GO).rename(tmp_path / "go")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    program("go", old)
    assert go.find_go() == beside


@pytest.mark.usefixtures("no_programs")
def test_no_go_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(LabError) as raised:
        go.find_go()
    assert raised.value.code == "go-missing"
    assert str(raised.value) == "Building the components needs Go 1.26 or newer."
    assert str(raised.value.hint) == "Run ./setup.sh: it installs Go."


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
def test_a_module_proxy_that_does_not_answer_is_an_error_that_names_the_setting(
    job: Job, program: Program, line: str
) -> None:
    program("go", f"{GO}\necho downloading; echo '{line}'; echo more; exit 1")
    with pytest.raises(LabError) as raised:
        go.build(job, TOOL)
    assert raised.value.code == "registry-unreachable"
    assert str(raised.value) == f"Go could not download the modules of thing: {line}"
    assert "(go env -w GOPROXY=…)" in str(raised.value.hint)


def test_the_read_only_module_cache_is_removed(tmp_path: Path) -> None:
    module = tmp_path / "gomod/example/module@v1"
    module.mkdir(parents=True)
    (module / "go.mod").touch(mode=0o444)
    module.chmod(0o555)
    go.drop_caches(tmp_path)
    assert not module.exists()
