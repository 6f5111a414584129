"""Python packages: fetched for the hosts' Python whatever this machine's is, by hash, with starters of our own."""

import sys
from pathlib import Path

import pytest

from labs.engine.course.edition import PipComponent
from labs.engine.errors import LabError
from labs.engine.software.builders import pip
from labs.engine.software.builders.job import Job
from labs.engine.software.builders.toolchain import Toolchain
from tests.engine.conftest import Program
from tests.engine.software.builders.conftest import Docker

THING = PipComponent(kind="pip", version="1", python="3.13")


@pytest.fixture
def python(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Lets this Python's pip be a script that does something."""

    def write(name: str, script: str) -> Path:
        monkeypatch.setattr(sys, "executable", str(program("python", script)))
        return Path(sys.executable)

    return write


def test_packages_are_those_of_the_hosts_python_and_known_by_hash(
    job: Job, docker: Docker, toolchain: Toolchain, python: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    python("python", "true")
    pip.build(job, THING, toolchain)
    (told,) = [line for line in job.log.read_text().splitlines() if "pip install" in line]
    assert "--requirement requirements.txt --require-hashes" in told
    assert f"--target {job.part}/lib --no-compile --no-deps --only-binary :all:" in told
    assert "--implementation cp --python-version 3.13 --platform manylinux_2_36_aarch64" in told
    assert docker.told[-1].endswith("/out/lib")


def test_programs_that_start_with_this_machines_python_are_left_out(
    job: Job, docker: Docker, toolchain: Toolchain, python: Program
) -> None:
    (job.source / "bin").mkdir()
    (job.source / "bin/thing").touch()
    python("python", f"mkdir -p {job.part}/lib/bin; touch {job.part}/lib/bin/thing {job.part}/lib/thing.py")
    pip.build(job, THING, toolchain)
    found = sorted(str(file.relative_to(job.part)) for file in job.part.rglob("*") if file.is_file())
    assert found == ["bin/thing", "lib/thing.py"]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: No matching distribution found for thing==1",
        "WARNING: Retrying after connection broken by 'NewConnectionError('",
        "ERROR: HTTP error 403 while getting https://index.example/thing",
    ],
)
def test_an_index_that_does_not_answer_is_told_with_the_setting(
    job: Job, toolchain: Toolchain, python: Program, line: str
) -> None:
    python("python", f'echo "{line}"; exit 1')
    with pytest.raises(LabError) as raised:
        pip.build(job, THING, toolchain)
    assert raised.value.message == f"pip could not fetch the packages of thing: {line}"
    assert "pip config set global.index-url" in raised.value.hint
