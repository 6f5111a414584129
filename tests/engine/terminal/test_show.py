"""What tasks print: complete for people, plain data for programs, and no text of ours taken for markup."""

import io
import json

import pytest
from rich.console import Console

from labs.engine.course.course import load_course
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hints import Hint
from labs.engine.hosts.provider import Finding, HostState
from labs.engine.hosts.status import HostStatus, Progress, Status
from labs.engine.messages import _, verbatim
from labs.engine.session import Session
from labs.engine.settings import Settings
from labs.engine.state import State
from labs.engine.terminal import show
from labs.engine.workspace import Workspace
from tests.engine.conftest import PORTS, REPO

STOPPED = HostStatus("f0-14", "192.168.56.14", None, HostState.STOPPED, _("not asked"), [], None)
SICK = HostStatus("f0-13", "192.168.56.13", 42202, HostState.RUNNING, verbatim("degraded"), ["kubelet.service"], 475)
FINDINGS = [
    Finding(verbatim("Vagrant"), verbatim("Vagrant 2.4")),
    Finding(
        verbatim("Disk"),
        verbatim("1 GiB is [free]."),
        LabError("disk-space", "1 GiB is [free].", verbatim("Free some.")),
    ),
]


@pytest.fixture
def out() -> Console:
    return Console(file=io.StringIO(), width=160)


@pytest.fixture
def session(workspace: Workspace, settings: Settings) -> Session:
    return Session(load_course(REPO), workspace, settings, Events())


def save(workspace: Workspace, lab: str) -> State:
    state = State(generation="1", lab=lab, phase="ready", provider="docker", network="192.168.56.0/24", ports=PORTS)
    workspace.claim()
    workspace.save(state)
    return state


def text(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def words(out: Console) -> list[list[str]]:
    return [line.split() for line in text(out).splitlines()]


def test_the_status_has_a_line_a_host_and_one_for_the_cluster(out: Console) -> None:
    show.status(Status("flannel", "ready", [SICK, STOPPED], None, 21.5), out, "en", as_json=False)
    assert words(out) == [
        ["Lab:", "flannel", "(ready)"],
        ["Host", "Address", "SSH", "State", "Services", "Failed", "units", "Memory"],
        ["f0-13", "192.168.56.13", "127.0.0.1:42202", "running", "degraded", "kubelet.service", "475", "MiB"],
        ["f0-14", "192.168.56.14", "–", "stopped", "not", "asked", "–", "–"],
        [
            "Cluster:",
            "its",
            "API",
            "server",
            "does",
            "not",
            "answer.",
            "Memory:",
            "475",
            "MiB.",
            "Disk:",
            "21.5",
            "GiB",
            "free.",
        ],
    ]


def test_ready_nodes_are_named(out: Console) -> None:
    show.status(Status("flannel", "ready", [SICK], ["f0-13", "f0-14"], 21.5), out, "en", as_json=False)
    assert "nodes ready: f0-13, f0-14" in text(out)


def test_a_status_of_nothing_is_shown(out: Console) -> None:
    show.status(Status(None, "down", [STOPPED], None, 21.5), out, "en", as_json=False)
    assert text(out).startswith("Lab: – (down)\n")


def test_the_status_is_json_for_programs(out: Console, capsys: pytest.CaptureFixture[str]) -> None:
    status = Status("flannel", "ready", [SICK, STOPPED], ["f0-13"], 21.5)
    show.status(status, out, "en", as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert (data["lab"], data["nodes"], data["hosts"][0]["state"]) == ("flannel", ["f0-13"], "running")
    assert data["hosts"][0]["services"] == {"en": "degraded", "zh": "degraded"}


def test_the_pages_for_a_browser_are_listed(out: Console) -> None:
    pages = ["http://whoami.frank.localhost:42206/"]
    show.status(Status("traefik", "ready", [SICK], ["f0-13"], 21.5, pages), out, "en", as_json=False)
    assert words(out)[-1] == ["Page:", *pages]


def test_findings_come_with_advice(out: Console) -> None:
    show.findings(FINDINGS, out, "en", as_json=False)
    assert text(out) == "✔ Vagrant: Vagrant 2.4\n✘ Disk: 1 GiB is [free].\n    Free some.\n"


def test_findings_are_json_for_programs(out: Console, capsys: pytest.CaptureFixture[str]) -> None:
    show.findings(FINDINGS, out, "en", as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert [(each["name"]["en"], each["ok"], each["code"]) for each in data] == [
        ("Vagrant", True, None),
        ("Disk", False, "disk-space"),
    ]


@pytest.mark.parametrize(("findings", "code"), [(FINDINGS[:1], 0), (FINDINGS, 2)])
def test_what_keeps_hosts_from_starting_decides_on_the_exit_status(findings: list[Finding], code: int) -> None:
    assert show.exit_code(findings) == code


def test_progress_is_shown_per_lab(out: Console) -> None:
    progress = {"flannel": Progress(points=70, max_points=100, hints=2, faults=1, resets=3)}
    show.status(Status("flannel", "ready", [SICK], [], 21.5, progress=progress), out, "en", as_json=False)
    assert words(out)[-1] == ["flannel", "70/100", "2", "1", "3"]


def test_a_hint_says_which_of_how_many_it_is(out: Console) -> None:
    show.hint(Hint(verbatim("Routes"), 1, 3, verbatim("Look [at] them.")), out, "en")
    assert text(out) == "Routes (1/3): Look [at] them.\n"


@pytest.mark.parametrize(("lang", "page"), [("en", "docs/labs/flannel.md"), ("zh", "docs/labs/flannel.zh.md")])
def test_the_summary_says_what_to_read_and_where_to_work(session: Session, out: Console, lang: str, page: str) -> None:
    show.summary(session, "flannel", out, lang)
    assert page in text(out)
    assert f"ssh -F {session.workspace.root}/ssh_config f0-13" in text(out)
    assert "invoke lab.check flannel" in text(out)
    assert "f0-15 192.168.56.15" in text(out)


@pytest.mark.parametrize(("lab", "shown"), [("traefik", True), ("flannel", False)])
def test_the_summary_names_the_pages_that_there_will_be(session: Session, out: Console, lab: str, shown: bool) -> None:
    save(session.workspace, lab)
    show.summary(session, lab, out, "en")
    assert ("http://whoami.frank.localhost:42206/" in text(out)) is shown


def test_the_lab_that_is_up_is_marked(session: Session, out: Console) -> None:
    state = save(session.workspace, "flannel")
    show.labs(session.course.catalog.labs.values(), state, out, "en", as_json=False)
    (line,) = [line for line in text(out).splitlines() if line.startswith("flannel")]
    assert line.split()[-1] == "up"


def test_every_fault_is_listed(session: Session, out: Console) -> None:
    lab = session.course.catalog.lab("flannel")
    show.faults(lab, out, "en")
    assert [line[0] for line in words(out)[1:]] == [fault.id for fault in lab.faults]


def test_the_solution_of_a_drill_is_shown(session: Session, out: Console) -> None:
    fault = session.course.catalog.lab("flannel").fault("not-enabled")
    show.repaired(fault, out, "en")
    assert fault.title.en in text(out)
    assert "f0-14\nsudo systemctl enable flanneld" in text(out)


def test_steps_are_listed_by_section(session: Session, out: Console) -> None:
    steps = session.steps("flannel")
    show.steps(steps, out, "en")
    assert text(out).count("\n  ") == len(steps)
    assert f"\n{steps[0].section}\n" in text(out)
