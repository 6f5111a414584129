"""The story of one set of hosts: up, check, hint, solve, break, reset, down. Each chapter has its module."""

import contextlib
import subprocess
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from labs.engine import checking, drills, hints, restarting, starting
from labs.engine.context import Context, Tools
from labs.engine.course.course import Course
from labs.engine.course.lab_files import Fault, Lab
from labs.engine.course.steps import Step
from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.grading.report import Report
from labs.engine.hosts.provider import Provider
from labs.engine.hosts.providers import choose_provider
from labs.engine.hosts.status import Status
from labs.engine.inspection import inspect
from labs.engine.messages import _
from labs.engine.settings import Settings
from labs.engine.solving import run_steps
from labs.engine.workspace import Workspace


class Session:
    """One set of hosts of the course. Two sessions with workspaces and networks of their own can run side by side."""

    def __init__(
        self, course: Course, workspace: Workspace, settings: Settings, events: Events, tools: Tools | None = None
    ) -> None:
        self.course, self.workspace, self.settings = course, workspace, settings
        self._context = Context(course, workspace, settings, events, tools or Tools())

    @property
    def running(self) -> str | None:
        """The id of the lab that the hosts are up for, None without hosts; LabError when the state is damaged."""
        state = self._context.state
        return state.lab if state and state.phase == "ready" else None

    @property
    def topology(self) -> Topology:
        """The hosts as they were made."""
        return self._context.topology(self._context.state)

    @property
    def provider(self) -> Provider:
        """What made the hosts."""
        return self._context.provider(self._context.state)

    # --------------------------------------------------------------------------------- up, start, reset and down

    def up(
        self,
        id: str,
        *,
        switch: bool = False,
        provider: str | None = None,
        network: str | None = None,
        internet: bool | None = None,
    ) -> None:
        """Bring the hosts to the starting state of a lab; nothing happens when they are up for it already.

        What isn't given is taken from the hosts that are there, then from the settings.

        Raises:
            LabError: unknown lab; hosts up for another lab and no `switch`, or made another way; this machine lacks
                something; a deadline passed.
        """
        lab, old = self.course.catalog.lab(id), self._context.state
        settings = self._context.settings
        chosen = choose_provider(provider or (old.provider if old else None), settings)
        wanted = self.course.topology.in_network(network or (old.network if old else settings.network)).network
        if old and old.phase == "ready":
            if old.lab != id and not switch:
                raise LabError(
                    "other-lab",
                    _("The hosts are up for the lab '{lab}'.", lab=old.lab),
                    _("`invoke lab.up {id} --switch` leaves that lab, and your work on its hosts is lost.", id=id),
                )
            if old.lab == id:
                if (old.provider, old.network) != (chosen, str(wanted)):
                    raise LabError(
                        "other-lab",
                        _(
                            "The hosts are up already, made by {provider} in {network}.",
                            **_made(old.provider, old.network),
                        ),
                        _("`invoke lab.down` removes them; your work on them is lost."),
                    )
                restarting.require_running(self._context)
                self._context.events.note(
                    _("The hosts are up for the lab '{id}' already. For fresh hosts: invoke lab.reset", id=id)
                )
                return
        carried = old.internet if old else False
        with self.workspace.exclusive():
            self._begin(lab, chosen, str(wanted), internet=carried if internet is None else internet)
        self._context.record.event("started", id)

    def reset(self, id: str | None = None) -> str:
        """Bring the hosts back to a lab's starting state, whatever was done to them; return the lab's id.

        Raises:
            LabError: no lab is up and none is named; as for `up`.
        """
        old = self.workspace.readable_state()
        wanted = id or (old.lab if old else None)
        if wanted is None:
            self._context.state  # noqa: B018 - says so when the state is damaged
            raise LabError(
                "no-lab", _("No lab is up, so there is nothing to reset."), _("Start a lab: invoke lab.up flannel")
            )
        lab, settings = self.course.catalog.lab(wanted), self._context.settings
        provider = old.provider if old else choose_provider(None, settings)
        network = old.network if old else settings.network
        with self.workspace.exclusive():
            if old and old.lab == wanted and old.phase == "ready" and old.checkpoint:
                starting.restore_hosts(self._context, old)
                self._set_ready(checkpoint=True)
            else:
                self._begin(lab, provider, network, internet=bool(old and old.internet))
        self._context.record.event("reset", wanted)
        return wanted

    def start(self) -> None:
        """Start hosts that were stopped (this machine or Docker restarted), together, and keep the learner's work."""
        with self.workspace.exclusive():
            if not restarting.start_stopped(self._context):
                self._context.events.note(_("All hosts are running already."))

    def reboot(self, host: str) -> None:
        """Shut a host down and start it again; return when its services, and the pods on it, are back."""
        with self.workspace.exclusive():
            restarting.reboot(self._context, host)

    def down(self, *, purge: bool = False) -> None:
        """Remove everything made for this workspace: hosts, network, connections, files. The grade record stays.

        Args:
            purge: remove what all workspaces share as well: the cache, and our images in the Docker engine

        Raises:
            LabError: a folder isn't ours, or `purge` would take away what other workspaces need;
                nothing is removed then.
        """
        self.workspace.require_ours()
        if purge:
            starting.require_purgeable(self._context)
        with self.workspace.exclusive(), self._context.events.task(_("Removing the hosts")):
            starting.remove_hosts(self._context)
        if purge:
            starting.purge(self._context)

    def _begin(self, lab: Lab, provider: str, network: str | None, *, internet: bool) -> None:
        starting.make_hosts(self._context, lab.id, provider, network, internet=internet)
        for earlier in self.course.catalog.before(lab.id):
            self._context.events.note(
                _(
                    "'{id}' builds on '{earlier}': solving that lab by its documented steps.",
                    id=lab.id,
                    earlier=earlier.id,
                )
            )
            self._solve(earlier.id)
        self._set_ready(checkpoint=self.provider.checkpoint())

    def _set_ready(self, *, checkpoint: bool) -> None:
        with self.workspace.changing() as state:
            state.checkpoint = checkpoint
            state.phase = "ready"

    # ------------------------------------------------------------------------------ check, hint, solve and break

    def labs_up(self, wanted: str = "flannel") -> list[Lab]:
        """Return the labs that the hosts are up for: those solved before, then the lab itself; LabError without one."""
        state = self._context.require_state(wanted)
        return [*self.course.catalog.before(state.lab), self.course.catalog.lab(state.lab)]

    def check(self, id: str, only: Collection[str] = (), junit: Path | None = None) -> Report:
        """Grade a lab on the running hosts, and enter the result into the grade record; see grading.run.grade."""
        return checking.check(self._context, self._lab_that_is_up(id), only, junit)

    def check_all(self, ids: Collection[str]) -> list[Report]:
        """Grade several labs side by side."""
        return checking.check_all(self._context, [self._lab_that_is_up(id) for id in ids])

    def watch(self, ids: Sequence[str], only: Collection[str] = ()) -> Iterator[list[Report]]:
        """Grade labs again and again, what isn't passed yet; yield all reports each time, until everything passed."""
        return checking.watch(self._context, [self._lab_that_is_up(id) for id in ids], only)

    def hint(self, id: str, objective: str | None = None) -> hints.Hint:
        """Return the next hint of an objective (by default the first not passed); each call goes one step further."""
        return hints.next_hint(self._context, self.course.catalog.lab(id), objective)

    def steps(self, id: str, until: int | None = None) -> list[Step]:
        """Return the documented steps of a lab, up to and including number `until`."""
        return self.course.steps(id, until)

    def solve(self, id: str, until: int | None = None) -> None:
        """Run a lab's documented steps on the hosts, stopping at the first that fails."""
        self.steps(id, until)
        self._lab_that_is_up(id)
        with self.workspace.shared():
            self._solve(id, until)
        self._context.record.event("solved", id, str(until or ""))

    def _solve(self, id: str, until: int | None = None) -> None:
        with self._context.remote() as remote:
            run_steps(self.steps(id, until), remote, self._context.events)

    def plant(self, id: str, fault: str | None = None) -> Fault:
        """Break a solved lab by a documented fault (by default the first) and return which one it was."""
        lab = self._lab_that_is_up(id)
        with self.workspace.shared():
            return drills.plant(self._context, lab, fault)

    def repair(self, id: str, fault: str | None = None) -> Fault:
        """Repair a fault that was planted (by default the last one) and return it; LabError when none is."""
        lab = self._lab_that_is_up(id)
        with self.workspace.shared():
            return drills.repair(self._context, lab, fault)

    def _lab_that_is_up(self, id: str) -> Lab:
        """Return the lab; LabError unless the hosts are up for it or for one that builds on it."""
        lab = self.course.catalog.lab(id)
        if lab not in self.labs_up(id):
            raise LabError(
                "other-lab",
                _("The hosts are up for '{running}', not for '{id}'.", running=self.running, id=id),
                _("To leave that lab: invoke lab.up {id} --switch", id=id),
            )
        return lab

    # ----------------------------------------------------------------------------------------------------- status

    def status(self) -> Status:
        """Return the state of hosts, services and cluster, complete even when hosts are dead."""
        return inspect(self._context, self.pages)

    def pages(self, id: str) -> list[str]:
        """Return where a browser on this machine finds the pages of a lab, and of those before it."""
        state = self.workspace.readable_state()
        labs = [*self.course.catalog.before(id), self.course.catalog.lab(id)]
        topology, ports = self._context.topology(state), state.ports if state else {}
        places = (topology.on_loopback(page, ports) for lab in labs for page in lab.pages)
        return [place for place in places if place]

    def shell(self, host: str) -> int:
        """Open a shell on a host; return its exit status."""
        self.topology.host(host)
        if not self.workspace.ssh_config.exists():
            raise LabError("no-lab", _("There are no hosts."), _("Start a lab: invoke lab.up flannel"))
        with contextlib.suppress(KeyboardInterrupt):  # it is for the shell
            return subprocess.run(["ssh", "-F", str(self.workspace.ssh_config), host], check=False).returncode
        return 130


def _made(provider: str, network: str) -> dict[str, object]:
    return {"provider": provider, "network": network}
