"""Jobs: what a program of a build gets, and what is reported when it fails."""

import sys

import pytest

from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.software.builders.job import Job, Registry
from tests.engine.software.builders.conftest import files

REGISTRY = Registry(_("No answer for {name}: {line}"), "refused|timed out", _("Ask another."))


def failure(job: Job, script: str, registry: Registry | None = REGISTRY) -> LabError:
    with pytest.raises(LabError) as raised:
        job.run(["sh", "-c", script], registry)
    return raised.value


def test_a_program_runs_in_the_source_folder_and_its_output_is_in_the_log(job: Job) -> None:
    job.run(["sh", "-c", "pwd; echo trouble >&2"])
    assert job.log.read_text() == f"+ sh -c pwd; echo trouble >&2\n{job.source}\ntrouble\n"


def test_outputs_of_several_programs_are_in_one_log(job: Job) -> None:
    job.run(["echo", "first"])
    job.run(["echo", "second"])
    assert job.log.read_text() == "+ echo first\nfirst\n+ echo second\nsecond\n"


def test_a_program_can_be_given_another_environment(job: Job) -> None:
    job.run([sys.executable, "-c", "import os; print(os.environ['COLOUR'])"], environment={"COLOUR": "blue"})
    assert job.log.read_text().endswith("\nblue\n")


def test_the_users_umask_does_not_decide_the_modes_of_results(job: Job) -> None:
    job.run(["sh", "-c", f"umask; touch {job.part}/file"])
    assert job.log.read_text().endswith("\n0022\n")


def test_a_program_that_fails_is_an_error_with_its_last_lines_and_the_log(job: Job) -> None:
    error = failure(job, "seq 1 9; exit 1")
    assert error.code == "build-failed"
    assert str(error) == "thing could not be built:\n5\n6\n7\n8\n9"
    assert str(error.hint) == f"The complete log is {job.log}."


def test_a_registry_that_does_not_answer_is_an_error_with_the_line_and_the_advice(job: Job) -> None:
    error = failure(job, "echo start; echo '  connection refused by x '; echo end; exit 1")
    assert error.code == "registry-unreachable"
    assert str(error) == "No answer for thing: connection refused by x"
    assert str(error.hint) == "Ask another."


def test_without_a_registry_the_same_line_is_an_ordinary_failure(job: Job) -> None:
    assert failure(job, "echo refused; exit 1", None).code == "build-failed"


def test_braces_in_a_programs_output_are_kept(job: Job) -> None:
    assert str(failure(job, "echo 'refused: {name}'; exit 1")) == "No answer for thing: refused: {name}"


@pytest.mark.parametrize("line", ["write x: no space left on device", "final link failed: No space left on device"])
def test_a_full_disk_is_an_error_of_its_own(job: Job, line: str) -> None:
    error = failure(job, f"echo 'refused'; echo '{line}'; exit 1")
    assert error.code == "disk-full"
    assert str(error) == "The disk is full: thing could not be built."
    assert str(error.hint) == "Free some space, then try again. Components that are built already are kept."


def test_launchers_are_copied_with_their_modes(job: Job) -> None:
    (job.source / "bin").mkdir()
    (job.source / "bin/start").touch(mode=0o755)
    job.copy_launchers()
    assert files(job.part) == ["bin/start"]
    assert (job.part / "bin/start").stat().st_mode & 0o100


def test_a_component_without_launchers_is_all_right(job: Job) -> None:
    job.copy_launchers()
    assert files(job.part) == []
