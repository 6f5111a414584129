"""The promise of every lab, new ones as well: graded before, solved by its page, graded, broken, repaired, reset."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.lab_files import Fault, Lab
from labs.engine.hosts.docker.engine import Engine
from labs.engine.session import Session
from tests.course.conftest import LABS, REPO, Stage, results

every_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id, scope="module")
every_fault = pytest.mark.parametrize(
    ("lab", "fault"), [pytest.param(lab, fault, id=f"{lab.id}-{fault.id}") for lab in LABS for fault in lab.faults]
)

# What a lab may change on a host, as text: two equal ones mean that nothing changed. Counters and leases are left out.
STATE = """
sudo find /etc /opt -xdev -type f -not -path '/etc/cni/*' -print0 | sort -z | sudo xargs -0 sha256sum
ip route show; ip rule show
sudo iptables-save -t nat | grep -E '^-A POSTROUTING' | sort
systemctl list-unit-files --state=enabled --no-legend
"""


def _after(lab: Lab, failing: set[str]) -> set[str]:
    """The objectives that can't be graded when `failing` fail: those that come after them, and after those."""
    more = {objective.id for objective in lab.objectives if failing & set(objective.after)} - failing
    return failing if not more else _after(lab, failing | more)


@every_lab
def test_nothing_passes_at_the_starting_state(fresh: Session, lab: Lab, stage: Stage) -> None:
    report = fresh.check(lab.id)
    assert set(results(report).values()) <= {"failed", "blocked"}
    assert report.points == 0
    assert report.exit_code == 1
    assert all(objective.evidence.of("zh") for objective in report.objectives)
    stage.left(lab)


@every_lab
def test_the_command_line_grades_with_the_documented_exit_status(
    fresh: Session, lab: Lab, tmp_path: Path, stage: Stage
) -> None:
    invoke = Path(sys.executable).with_name("invoke")
    junit = tmp_path / "result.xml"
    done = subprocess.run([invoke, "lab.check", lab.id, "--json", f"--junit={junit}"], cwd=REPO, capture_output=True)
    assert (done.returncode, done.stdout[:1]) == (1, b"{")
    assert b"<testsuite" in junit.read_bytes()
    stage.left(lab)


@every_lab
def test_the_documented_steps_reach_every_point_and_change_nothing_when_repeated(
    solved: Session, lab: Lab, run: Callable[[str, str], str], stage: Stage
) -> None:
    report = solved.check(lab.id)
    assert set(results(report).values()) == {"passed"}, report.to_dict()
    assert (report.points, report.exit_code) == (lab.max_points, 0)
    for earlier in solved.course.catalog.before(lab.id):
        assert solved.check(earlier.id).exit_code == 0
    hosts = solved.status().hosts
    before = {host.name: run(host.name, STATE) for host in hosts}
    solved.solve(lab.id)
    assert {host.name: run(host.name, STATE) for host in hosts} == before
    assert solved.check(lab.id).exit_code == 0
    stage.left(lab, solved=True)


@every_lab
def test_a_dead_host_is_an_error_and_never_the_learners_failure(
    solved: Session, lab: Lab, stage: Stage, engine: Engine
) -> None:
    container = engine.containers()["f0-14"]
    container.pause()
    try:
        status = solved.status()
        report = solved.check(lab.id)
    finally:
        container.unpause()
    assert [host.name for host in status.hosts if host.state == "paused"] == ["f0-14"]
    assert "failed" not in results(report).values(), report.to_dict()
    assert report.exit_code == 2
    stage.left(lab, solved=True)


@every_lab
def test_a_solved_lab_survives_the_reboot_of_a_node(solved: Session, lab: Lab, stage: Stage) -> None:
    solved.reboot("f0-14")
    report = solved.check(lab.id)
    assert set(results(report).values()) == {"passed"}, report.to_dict()
    stage.left(lab, solved=True)


@every_fault
def test_a_fault_flips_the_objectives_it_names_and_its_repair_flips_them_back(
    solved: Session, lab: Lab, fault: Fault, stage: Stage
) -> None:
    solved.plant(lab.id, fault.id)
    broken = solved.check(lab.id)
    found = results(broken)
    assert {id for id, result in found.items() if result == "failed"} == set(fault.fails), broken.to_dict()
    assert {id for id, result in found.items() if result != "passed"} == _after(lab, set(fault.fails))
    solved.repair(lab.id, fault.id)
    repaired = solved.check(lab.id)
    assert set(results(repaired).values()) == {"passed"}, repaired.to_dict()
    stage.left(lab, solved=True)


@every_lab
def test_reset_brings_the_starting_state_back_whatever_was_done(used: Session, lab: Lab, stage: Stage) -> None:
    used.reset(lab.id)
    assert used.check(lab.id).points == 0
    stage.left(lab)
