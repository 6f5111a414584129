"""What tasks print: complete for people, plain data for programs, and no text of ours taken for markup."""

import io
import json

import pytest
from rich.console import Console

from labs.engine.doctor import Finding
from labs.engine.hosts.status import HostStatus, Status
from labs.engine.session import Course
from labs.engine.terminal import show
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import PORTS, REPO

DEAD = HostStatus("f0-14", "192.168.56.14", None, "exited", "not asked: exited", [], None)
SICK = HostStatus("f0-13", "192.168.56.13", 42202, "running", "degraded", ["kubelet.service"], 475)
FOUND = [Finding("Vagrant", True, "Vagrant 2.4"), Finding("Disk", False, "1 GiB is [free].", "Free some.")]


@pytest.fixture
def out() -> Console:
    return Console(file=io.StringIO(), width=160)


@pytest.fixture
def course(tasks: Tasks) -> Course:
    return Course(REPO, tasks)


def text(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def words(out: Console) -> list[list[str]]:
    return [line.split() for line in text(out).splitlines()]


def test_the_status_has_a_line_a_host_and_one_for_the_cluster(out: Console) -> None:
    show.status(Status("flannel", "ready", [SICK, DEAD], None, 21.5), out, as_json=False)
    assert words(out) == [
        ["Lab:", "flannel", "(ready)"],
        ["Host", "Address", "SSH", "State", "Services", "Failed", "Memory"],
        ["f0-13", "192.168.56.13", "127.0.0.1:42202", "running", "degraded", "kubelet.service", "475", "MiB"],
        ["f0-14", "192.168.56.14", "–", "exited", "not", "asked:", "exited", "–", "–"],
        ["Cluster:", "its", "API", "does", "not", "answer.", "Memory:", "475", "MiB.", "Disk:", "21.5", "GiB", "free."],
    ]


def test_ready_nodes_are_named(out: Console) -> None:
    show.status(Status("flannel", "ready", [SICK], ["f0-13", "f0-14"], 21.5), out, as_json=False)
    assert "nodes ready: f0-13, f0-14" in text(out)


def test_a_status_of_nothing_is_shown(out: Console) -> None:
    show.status(Status(None, "down", [DEAD], None, 21.5), out, as_json=False)
    assert text(out).startswith("Lab: – (down)\n")


def test_the_status_is_json_for_programs(out: Console) -> None:
    status = Status("flannel", "ready", [SICK, DEAD], ["f0-13"], 21.5)
    show.status(status, out, as_json=True)
    assert json.loads(text(out)) == status.to_dict()


def test_the_pages_for_a_browser_are_listed(out: Console) -> None:
    pages = ["http://whoami.frank.localhost:42206/"]
    show.status(Status("traefik", "ready", [SICK], ["f0-13"], 21.5, pages), out, as_json=False)
    assert words(out)[-1] == ["Page:", *pages]


def test_findings_come_with_advice(out: Console) -> None:
    show.findings(FOUND, out, as_json=False)
    assert text(out) == "✔ Vagrant: Vagrant 2.4\n✘ Disk: 1 GiB is [free].\n    Free some.\n"


def test_findings_are_json_for_programs(out: Console) -> None:
    show.findings(FOUND, out, as_json=True)
    assert [(one["name"], one["ok"]) for one in json.loads(text(out))] == [("Vagrant", True), ("Disk", False)]


@pytest.mark.parametrize(("lang", "page"), [("en", "docs/labs/flannel.md"), ("zh", "docs/labs/flannel.zh.md")])
def test_the_summary_says_what_to_read_and_where_to_work(course: Course, out: Console, lang: str, page: str) -> None:
    show.summary(course, "flannel", out, lang)
    assert page in text(out)
    assert f"ssh -F {course.workspace.root}/ssh_config f0-13" in text(out)
    assert "invoke lab.check flannel" in text(out)
    assert "f0-15 192.168.56.15" in text(out)


@pytest.mark.parametrize(("lab", "shown"), [("traefik", True), ("flannel", False)])
def test_the_summary_names_the_pages_that_there_will_be(course: Course, out: Console, lab: str, shown: bool) -> None:
    course.workspace.write_state({"lab": lab, "phase": "ready", "ports": PORTS})
    show.summary(course, lab, out, "en")
    assert ("http://whoami.frank.localhost:42206/" in text(out)) is shown


def test_the_lab_that_is_up_is_marked(course: Course, out: Console) -> None:
    course.workspace.write_state({"lab": "flannel", "phase": "ready"})
    show.labs(course, out, "en", as_json=False)
    (line,) = [line for line in text(out).splitlines() if line.startswith("flannel")]
    assert line.split()[-1] == "up"


def test_every_fault_is_listed(course: Course, out: Console) -> None:
    lab = course.catalog.lab("flannel")
    show.faults(lab, out, "en")
    assert [line[0] for line in words(out)[1:]] == [fault.id for fault in lab.faults]


def test_the_solution_of_a_drill_is_shown(course: Course, out: Console) -> None:
    fault = course.catalog.lab("flannel").fault("not-enabled")
    show.repaired(fault, out, "en")
    assert fault.title.en in text(out)
    assert "f0-14\nsudo systemctl enable flanneld" in text(out)


def test_steps_are_listed_by_section(course: Course, out: Console) -> None:
    steps = course.steps("flannel")
    show.steps(steps, out)
    assert text(out).count("\n  ") == len(steps)
    assert f"\n{steps[0].section}\n" in text(out)
