"""The story of a lab: what each task refuses, what it says then, and that nothing is lost or left."""

import io
import socket
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs.engine import doctor
from labs.engine import session as module
from labs.engine import starting as start_of_hosts
from labs.engine.errors import LabError
from labs.engine.hosts.docker.containers import Ports
from labs.engine.hosts.readiness import BOOTED, Api
from labs.engine.hosts.remote import Outcome
from labs.engine.session import Course
from labs.engine.terminal.progress import Tasks
from tests.engine.conftest import REPO, Program
from tests.engine.fakes import FakeContainer, FakeDocker, FakeList, FakeRemote

LAB = """\
id: {id}
title: {{en: The {id} lab, zh: 实验 {id}}}
summary: {{en: A lab., zh: 一个实验。}}
minutes: 5
after: [{after}]
needs: {{components: []}}
objectives:
  - id: routes
    title: {{en: Routes, zh: 路由}}
    points: 100
    hints: [{{en: Look., zh: 看。}}, {{en: Look closer., zh: 仔细看。}}]
"""
FAULT = """\
id: lost-route
title: {en: A route is lost, zh: 路由丢失}
commands: [{hosts: [f0-13, f0-14], run: ip route flush}]
repair: [{hosts: [f0-13], run: ip route add}]
fails: [routes]
"""
PAGE = """\
# A lab

## First

``` bash title="f0-13"
echo one
```

## Second

``` bash title="f0-13, f0-14"
echo two
```
"""
Address = namedtuple("Address", ["family", "address"])

READY = {"phase": "ready", "provider": "docker", "network": "192.168.56.0/24"}
IMAGES = {"f0-13": "image"}
PORTS = {"f0-13": {"ssh": 2, "api": 1}}


class FakeHosts:
    """Hosts that are laid out, created and destroyed in `story`; `trouble` happens when they are created."""

    def __init__(self, story: list[str]) -> None:
        self._story = story
        self.trouble: Callable[[], None] = lambda: None

    def __call__(self, *_: object) -> "FakeHosts":
        return self

    def lay_out(self, images: dict[str, str], *_: object, **__: object) -> dict[str, dict[str, int]]:
        self._story.append(f"laid out {images['f0-13']}")
        return PORTS

    def create(self, images: dict[str, str], ports: Ports) -> None:
        assert ports == PORTS
        self.trouble()
        self._story.append(f"created from {images['f0-13']}")

    def abandon(self) -> None:
        self._story.append("abandoned")

    def destroy(self) -> None:
        self._story.append("destroyed")


class FakeSoftware:
    """Software that is all there already, but for what is in `lacking`."""

    lacking: tuple[str, ...] = ()

    def __init__(self, *_: object) -> None:
        pass

    def missing(self, _: object) -> tuple[str, ...]:
        return self.lacking

    def provide(self, *_: object) -> dict[str, str]:
        return IMAGES

    def archives(self, _: object) -> dict[str, Path]:
        return {}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A course of two labs, "first" and, after it, "second"; and "apart", which has nothing to do with them."""
    (tmp_path / "vagrant").symlink_to(REPO / "vagrant")
    (tmp_path / "docs/labs").mkdir(parents=True)
    for id, after in (("first", ""), ("second", "first"), ("apart", "")):
        for folder in (f"labs/{id}/faults", f"manifests/{id}", f"checks/{id}"):
            (tmp_path / folder).mkdir(parents=True)
        (tmp_path / f"labs/{id}/lab.yml").write_text(LAB.format(id=id, after=after))
        (tmp_path / f"docs/labs/{id}.md").write_text(PAGE)
        (tmp_path / f"docs/labs/{id}.zh.md").write_text(PAGE)
    (tmp_path / "labs/first/faults/lost-route.yml").write_text(FAULT)
    return tmp_path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    engine = FakeDocker()
    monkeypatch.setattr(module, "connect", lambda: engine)
    return engine


@pytest.fixture
def course(repo: Path, tasks: Tasks, engine: FakeDocker, program: Program, monkeypatch: pytest.MonkeyPatch) -> Course:
    (repo / "labs-of-this-test").mkdir()
    monkeypatch.setenv("F0_WORKSPACE", str(repo / "labs-of-this-test/labs"))
    program("vagrant", "echo Vagrant 2.4.9")
    monkeypatch.setattr(doctor, "check_room", lambda: None)
    monkeypatch.setattr("psutil.net_if_addrs", dict)
    return Course(repo, tasks)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> FakeRemote:
    remote = FakeRemote()
    for user in (module, start_of_hosts):
        monkeypatch.setattr(user, "Remote", lambda _: remote)
    return remote


@pytest.fixture
def story() -> list[str]:
    return []


@pytest.fixture
def starting(story: list[str], remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> FakeHosts:
    """Lets `up` start hosts that are ready at once."""
    hosts = FakeHosts(story)
    for user in (module, start_of_hosts):
        monkeypatch.setattr(user, "Hosts", hosts)
    monkeypatch.setattr(start_of_hosts, "Software", FakeSoftware)
    monkeypatch.setattr(Api, "is_ready", lambda _: "created from image" in story)
    return hosts


def up(course: Course, id: str, **more: Any) -> None:
    """Hosts are up for a lab."""
    course.workspace.write_state({"lab": id, **READY, **more})


def running(count: int) -> FakeList:
    return FakeList([FakeContainer(f"w.f0-1{number}") for number in range(1, count + 1)])


def refusal(call: Callable[..., object], *arguments: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(LabError) as raised:
        call(*arguments, **options)
    return raised.value.message, raised.value.hint


# ---------------------------------------------------------------------------------------------------------------- up


def test_an_unknown_lab_is_not_started(course: Course) -> None:
    message, _ = refusal(course.up, "frist")
    assert message == "There is no lab 'frist'. Did you mean 'first'?"
    assert not course.workspace.root.exists()


def test_another_lab_is_not_left_unasked(course: Course) -> None:
    up(course, "first")
    assert refusal(course.up, "apart") == (
        "The hosts are up for the lab 'first'.",
        "invoke lab.up apart --switch leaves it and starts 'apart'; what you did on the hosts is lost.",
    )
    assert course.running == "first"


@pytest.mark.usefixtures("starting")
def test_another_lab_is_left_when_asked(course: Course, story: list[str]) -> None:
    up(course, "first")
    course.up("apart", switch=True)
    assert story == ["destroyed", "laid out image", "created from image"]
    assert course.running == "apart"


@pytest.mark.usefixtures("starting")
def test_a_lab_that_is_up_stays_as_it_is(
    course: Course, engine: FakeDocker, story: list[str], said: io.StringIO
) -> None:
    up(course, "first")
    engine.containers = running(5)
    course.up("first")
    assert story == []
    assert said.getvalue() == "The hosts are up for the lab 'first' already. A fresh start: invoke lab.reset\n"


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize(
    ("dead", "message", "first"),
    [
        (["f0-14"], "The lab is up, but f0-14 does not run.", "f0-14"),
        (["f0-11", "f0-15"], "The lab is up, but f0-11, f0-15 do not run.", "f0-11"),
    ],
)
@pytest.mark.parametrize("gone", [True, False])
def test_a_dead_host_of_the_lab_that_is_up_is_told_and_nothing_is_lost(
    course: Course, engine: FakeDocker, story: list[str], dead: list[str], message: str, first: str, gone: bool
) -> None:
    up(course, "first")
    engine.containers = running(5)
    hosts = {one.name.removeprefix("w."): one for one in engine.containers.found}
    for name in dead:
        hosts[name].status = "exited"
        if gone:
            engine.containers.found.remove(hosts[name])
    hint = f"invoke host.reboot {first} starts it again; invoke lab.reset starts afresh."
    assert refusal(course.up, "first") == (message, hint)
    assert (story, course.running) == ([], "first")


@pytest.mark.usefixtures("starting", "engine")
def test_virtual_machines_are_not_looked_for_among_containers(
    course: Course, story: list[str], said: io.StringIO
) -> None:
    up(course, "first", provider="libvirt")
    course.up("first")
    assert story == []
    assert said.getvalue().startswith("The hosts are up for the lab 'first' already.")


@pytest.mark.usefixtures("starting")
def test_a_network_in_use_is_told_before_anything_is_removed(
    course: Course, story: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interfaces = {"eth7": [Address(socket.AF_INET, "192.168.56.7")]}
    monkeypatch.setattr("psutil.net_if_addrs", lambda: interfaces)
    up(course, "first")
    message, _ = refusal(course.up, "apart", switch=True)
    assert message == (
        "The lab network 192.168.56.0/24 is used by something else on this machine (eth7 has 192.168.56.7)."
    )
    assert (story, course.running) == ([], "first")


@pytest.mark.usefixtures("starting")
def test_an_interrupted_up_is_taken_up_by_the_next_one(course: Course, story: list[str]) -> None:
    course.workspace.write_state({"lab": "apart", "phase": "starting"})
    course.up("first")
    assert story == ["destroyed", "laid out image", "created from image"]


def test_hosts_have_the_roles_that_their_lab_demands(course: Course, repo: Path, tasks: Tasks) -> None:
    file = repo / "labs/apart/lab.yml"
    file.write_text(file.read_text().replace("{components: []}", "{components: [], roles: [delivery]}"))
    demanding = Course(repo, tasks)
    up(demanding, "apart")
    assert demanding.topology.with_role("delivery").name == "f0-15"
    up(demanding, "first")
    assert demanding.topology.all_with_role("delivery") == []


@pytest.mark.usefixtures("starting")
def test_what_hosts_are_made_of_is_noted(course: Course) -> None:
    course.up("first", internet=True)
    assert course.workspace.read_state() == {
        "lab": "first",
        "phase": "ready",
        "provider": "docker",
        "internet": True,
        "network": "192.168.56.0/24",
        "images": IMAGES,
        "ports": PORTS,
    }


@pytest.mark.usefixtures("starting")
def test_the_labs_before_are_solved_by_their_own_steps(course: Course, remote: FakeRemote, said: io.StringIO) -> None:
    course.up("second")
    assert [command for command in remote.ran if command[1] != BOOTED] == [
        ("f0-13", "echo one\n"),
        ("f0-13", "echo two\n"),
        ("f0-14", "echo two\n"),
    ]
    assert "'second' builds on 'first': solving it by its own documented steps." in said.getvalue()


def test_an_interrupted_start_leaves_nothing(course: Course, starting: FakeHosts, story: list[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    starting.trouble = interrupt
    with pytest.raises(KeyboardInterrupt):
        course.up("first")
    assert story[-1] == "destroyed"


def test_hosts_that_cannot_be_created_are_told_at_once(course: Course, starting: FakeHosts) -> None:
    def fail() -> None:
        raise LabError("f0-13 could not be started:\nno such image")

    starting.trouble = fail
    message, _ = refusal(course.up, "first")
    assert message == "f0-13 could not be started:\nno such image"
    assert course.running is None


@pytest.mark.usefixtures("starting")
def test_nodes_that_are_not_ready_in_time_are_told_and_the_log_is_kept(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_of_hosts, "UP_SECONDS", 0.0)
    monkeypatch.setattr(Api, "is_ready", lambda _: False)
    message, hint = refusal(course.up, "first")
    assert message.startswith("Not ready in time: f0-13, f0-14.\nf0-13 did not come up:\n")
    assert hint == f"This is kept in {course.workspace.logs}/up.log. Start again: invoke lab.reset"
    assert (course.workspace.logs / "up.log").read_text() == f"{message}\n"


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize(("lacking", "loaded"), [(("flannel",), ["bundle.tar"]), ((), [])])
def test_what_is_missing_comes_from_the_bundle_that_the_environment_names(
    course: Course, monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...], loaded: list[str]
) -> None:
    files: list[str] = []
    monkeypatch.setenv("F0_BUNDLE", "/media/bundle.tar")
    monkeypatch.setattr(FakeSoftware, "lacking", lacking)
    monkeypatch.setattr(start_of_hosts, "load_bundle", lambda repo, cache, file, tasks: files.append(file.name))
    course.up("first")
    assert files == loaded


@pytest.mark.parametrize("provider", ["vmware", "libvirt"])
def test_a_provider_that_cannot_be_used_starts_nothing(
    course: Course, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    message, _ = refusal(course.up, "first", provider=provider)
    assert f"'{provider}'" in message
    assert not course.workspace.root.exists()


# ---------------------------------------------------------------------------------------------- check, hint and solve


@pytest.mark.parametrize("task", ["check", "hint"])
def test_nothing_is_graded_with_nothing_up(course: Course, task: str) -> None:
    assert refusal(getattr(course, task), "first", "en") == ("No lab is up.", "invoke lab.up first")


def test_the_labs_that_are_up_are_the_running_one_and_those_it_builds_on(course: Course) -> None:
    up(course, "second")
    assert [lab.id for lab in course.labs_up()] == ["first", "second"]


def test_nothing_is_solved_with_nothing_up(course: Course) -> None:
    assert refusal(course.solve, "first") == ("No lab is up.", "invoke lab.up first")


def test_nothing_is_graded_on_hosts_that_did_not_come_up(course: Course) -> None:
    course.workspace.write_state({"lab": "first", "phase": "starting"})
    assert refusal(course.check, "first", "en") == (
        "The last lab.up did not come to its end.",
        "invoke lab.up first",
    )


@pytest.mark.parametrize("id", ["apart", "second"])
def test_another_lab_than_the_one_that_is_up_is_not_graded(course: Course, id: str) -> None:
    up(course, "first")
    assert refusal(course.check, id, "en") == (
        f"The hosts are up for 'first', not for '{id}'.",
        f"invoke lab.up {id} --switch",
    )


def test_a_lab_that_the_one_that_is_up_builds_on_is_graded(course: Course) -> None:
    up(course, "second")
    report = course.check("first", "en")
    assert (report.lab, report.exit_code) == ("first", 2)
    assert report.objectives[0].evidence == "checks/first has no check of this objective."


def test_hints_go_one_step_further_each_time_and_end_with_the_last(course: Course) -> None:
    up(course, "first")
    assert [course.hint("first", "en", "routes") for _ in range(3)] == [
        "Routes (1/2)\nLook.",
        "Routes (2/2)\nLook closer.",
        "Routes (2/2)\nLook closer.",
    ]


def test_hints_are_had_without_hosts(course: Course) -> None:
    assert course.hint("first", "zh", "routes") == "路由 (1/2)\n看。"
    assert not course.workspace.root.exists()


def test_an_unknown_objective_suggests_the_nearest(course: Course) -> None:
    message, _ = refusal(course.hint, "first", "en", "route")
    assert message == "There is no objective 'route' in the lab 'first'. Did you mean 'routes'?"


def test_steps_are_listed_up_to_a_number(course: Course) -> None:
    assert [step.body for step in course.steps("first", 1)] == ["echo one\n"]
    assert len(course.steps("first")) == 2


@pytest.mark.parametrize("until", [0, 3, -1])
def test_a_step_that_is_not_there_is_told(course: Course, until: int) -> None:
    assert refusal(course.steps, "first", until) == (
        f"'first' has steps 1 to 2, not {until}.",
        "invoke lab.solve first --dry-run lists them.",
    )


def test_a_lab_is_solved_by_its_documented_steps(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    course.solve("first", until=1)
    assert remote.ran == [("f0-13", "echo one\n")]


# -------------------------------------------------------------------------------------------------------------- break


def test_the_first_fault_is_planted_by_default(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    assert course.plant("first", None).title.en == "A route is lost"
    assert remote.ran == [("f0-13", "ip route flush"), ("f0-14", "ip route flush")]


@pytest.mark.parametrize(
    ("id", "fault", "message"),
    [
        ("apart", None, "The lab 'apart' has no faults to plant."),
        ("first", "lost-rout", "There is no fault 'lost-rout' in the lab 'first'. Did you mean 'lost-route'?"),
        ("first", "lost-route", "No lab is up."),
    ],
)
def test_a_fault_that_cannot_be_planted_is_told(course: Course, id: str, fault: str | None, message: str) -> None:
    assert refusal(course.plant, id, fault)[0] == message


def test_a_fault_that_a_host_refuses_is_told(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    remote.answers[("f0-14", "ip route flush")] = Outcome("f0-14", 1, "Operation not permitted\n")
    assert refusal(course.plant, "first", None) == (
        "The fault 'lost-route' could not be planted on f0-14:\nOperation not permitted",
        "Faults are made for a solved lab: invoke lab.solve first",
    )


def test_the_fault_planted_last_is_repaired_by_default(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    course.plant("first", None)
    assert course.repair("first", None).id == "lost-route"
    assert remote.ran[2:] == [("f0-13", "ip route add")]
    assert refusal(course.repair, "first", None)[0] == "No fault is planted in the lab 'first'."


def test_a_fault_that_was_not_planted_here_is_repaired_when_it_is_named(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    course.repair("first", "lost-route")
    assert remote.ran == [("f0-13", "ip route add")]


def test_a_repair_that_a_host_refuses_is_told_and_the_fault_stays_noted(course: Course, remote: FakeRemote) -> None:
    up(course, "first")
    course.plant("first", None)
    remote.answers[("f0-13", "ip route add")] = Outcome("f0-13", 1, "Operation not permitted\n")
    assert refusal(course.repair, "first", None)[0].startswith("The fault 'lost-route' could not be repaired on f0-13")
    remote.answers.clear()
    assert course.repair("first", None).id == "lost-route"


# ------------------------------------------------------------------------------------------ reset, down, status, shell


def test_there_is_nothing_to_reset_with_nothing_up(course: Course) -> None:
    assert refusal(course.reset) == ("No lab is up, so there is nothing to reset.", "invoke lab.up flannel")


@pytest.mark.usefixtures("starting")
def test_a_reset_starts_the_same_hosts_anew(course: Course, story: list[str]) -> None:
    up(course, "first", network="10.20.30.0/24", internet=True, hints={"routes": 1})
    assert course.reset() == "first"
    assert story == ["destroyed", "laid out image", "created from image"]
    state = course.workspace.read_state()
    assert (state["network"], state["internet"], state.get("hints")) == ("10.20.30.0/24", True, None)


@pytest.mark.usefixtures("starting")
def test_hosts_that_are_half_there_are_reset_as_well(course: Course, story: list[str]) -> None:
    course.workspace.write_state({"lab": "first", "phase": "starting"})
    course.reset()
    assert story == ["destroyed", "laid out image", "created from image"]


def test_down_with_nothing_up_is_harmless(course: Course, said: io.StringIO) -> None:
    course.down()
    course.down()
    assert said.getvalue().count("✔ Removing the hosts") == 2
    assert not course.workspace.root.exists()


@pytest.mark.usefixtures("engine")
def test_the_status_of_nothing_is_told(course: Course) -> None:
    found = course.status()
    assert (found.lab, found.phase, {host.state for host in found.hosts}) == (None, "down", {"absent"})


def test_hosts_are_shown_in_the_network_they_were_made_in(course: Course) -> None:
    up(course, "first", network="10.20.30.0/24")
    assert course.status().hosts[0].address == "10.20.30.11"


@pytest.mark.parametrize("task", ["shell", "reboot"])
def test_an_unknown_host_is_told(course: Course, task: str) -> None:
    assert refusal(getattr(course, task), "f0-99") == (
        "There is no host 'f0-99'.",
        "The hosts are f0-11, f0-12, f0-13, f0-14, f0-15.",
    )


def test_there_is_no_shell_without_hosts(course: Course) -> None:
    assert refusal(course.shell, "f0-13") == ("There are no hosts.", "invoke lab.up flannel")


def test_a_shell_ends_with_its_own_status(course: Course, program: Program) -> None:
    course.workspace.write_state({})
    course.workspace.ssh_config.touch()
    program("ssh", "exit 7")
    assert course.shell("f0-13") == 7


def test_nothing_is_rebooted_with_nothing_up(course: Course) -> None:
    assert refusal(course.reboot, "f0-13") == ("No lab is up.", "invoke lab.up flannel")


def test_purging_removes_the_cache_and_the_images(course: Course, engine: FakeDocker, tmp_path: Path) -> None:
    (tmp_path / "cache/components").mkdir(parents=True)
    engine.images.tags = {"f0labs/host:1", "debian:trixie"}
    course.purge()
    assert not (tmp_path / "cache").exists()
    assert engine.images.tags == {"debian:trixie"}
