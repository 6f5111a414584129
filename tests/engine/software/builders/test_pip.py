"""Python packages: fetched for the hosts' Python whatever this machine's is, by hash, with launchers of our own."""

import sys
from pathlib import Path

import pytest

from labs.engine.course.edition import PipComponent
from labs.engine.errors import LabError
from labs.engine.software.builders import pip
from labs.engine.software.builders.job import Job
from tests.engine.conftest import Program
from tests.engine.software.builders.conftest import MakeToolchain, files

PYTHON = {"python3": 'echo "python3 $*"'}
THING = PipComponent(kind="pip", version="1", python="3.13")


@pytest.fixture
def python(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Lets this Python's pip be a script that does something."""

    def write(name: str, script: str) -> Path:
        monkeypatch.setattr(sys, "executable", str(program("python", script)))
        return Path(sys.executable)

    return write


def test_packages_are_those_of_the_hosts_python_and_known_by_hash(
    job: Job, toolchain_with: MakeToolchain, python: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    python("python", "true")
    pip.build(job, THING, toolchain_with(PYTHON))
    (command,) = [line for line in job.log.read_text().splitlines() if "pip install" in line]
    assert "--requirement requirements.txt --require-hashes" in command
    assert f"--target {job.part}/lib --no-compile --no-deps --only-binary :all:" in command
    assert "--implementation cp --python-version 3.13 --platform manylinux_2_36_aarch64" in command
    assert job.log.read_text().endswith(" unchecked-hash /out/lib\n")


def test_programs_that_start_with_this_machines_python_are_left_out(
    job: Job, toolchain_with: MakeToolchain, python: Program
) -> None:
    (job.source / "bin").mkdir()
    (job.source / "bin/thing").touch()
    python("python", f"mkdir -p {job.part}/lib/bin; touch {job.part}/lib/bin/thing {job.part}/lib/thing.py")
    pip.build(job, THING, toolchain_with(PYTHON))
    assert files(job.part) == ["bin/thing", "lib/thing.py"]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: No matching distribution found for thing==1",
        "WARNING: Retrying after connection broken by 'NewConnectionError('",
        "ERROR: HTTP error 403 while getting https://index.example/thing",
    ],
)
def test_an_index_that_does_not_answer_is_an_error_that_names_the_setting(
    job: Job, toolchain_with: MakeToolchain, python: Program, line: str
) -> None:
    python("python", f'echo "{line}"; exit 1')
    with pytest.raises(LabError) as raised:
        pip.build(job, THING, toolchain_with(PYTHON))
    assert str(raised.value) == f"pip could not download the packages of thing: {line}"
    assert "pip config set global.index-url" in str(raised.value.hint)


def test_of_pips_settings_only_the_mirrors_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://global.example\ntarget = /elsewhere\nuser = true\n"
        "trusted-host =\n  one.example\n  two.example\n[install]\nindex-url = https://install.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "https://proxy.example")
    monkeypatch.setenv("PIP_PREFIX", "/elsewhere")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    environment = pip.pip_environment()
    assert environment["PIP_INDEX_URL"] == "https://install.example"
    assert environment["PIP_TRUSTED_HOST"] == "one.example two.example"
    assert environment["PIP_PROXY"] == "https://proxy.example"
    assert environment["PIP_CONFIG_FILE"] == "/dev/null"
    assert not {"PIP_TARGET", "PIP_USER", "PIP_PREFIX"} & {*environment}
