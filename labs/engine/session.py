"""The story of a lab: up, check, hint, solve, break, reset, status, down. Each chapter is told in its module."""

import contextlib
import shutil
import subprocess
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from labs.engine import drills
from labs.engine.course.catalog import Catalog, Fault, Lab, load_catalog
from labs.engine.course.edition import load_edition
from labs.engine.course.steps import Step, parse_steps
from labs.engine.course.topology import Topology, load_topology
from labs.engine.errors import LabError
from labs.engine.grading.run import Report, grade
from labs.engine.hosts import readiness
from labs.engine.hosts.docker.engine import Engine, connect
from labs.engine.hosts.hosts import Hosts
from labs.engine.hosts.remote import Remote
from labs.engine.hosts.status import Status, look
from labs.engine.solving import run_steps
from labs.engine.starting import UP_SECONDS, Start
from labs.engine.terminal.progress import Tasks
from labs.engine.workspace import Workspace, cache_dir


class Course:
    """The course as one workspace of this machine has it."""

    def __init__(self, repo: Path, tasks: Tasks) -> None:
        self._repo, self._tasks = repo, tasks
        self.workspace = Workspace.of(repo)
        self.catalog: Catalog = load_catalog(repo)

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine, and what this workspace has in it."""
        return Engine(connect(), self.workspace.name)

    @property
    def running(self) -> str | None:
        """The id of the lab that the hosts are up for, None without hosts."""
        state = self.workspace.read_state()
        return str(state["lab"]) if state.get("phase") == "ready" else None

    # ------------------------------------------------------------------------------------------------ up and down

    def up(self, id: str, *, switch: bool = False, provider: str | None = None, internet: bool = False) -> None:
        """Bring the hosts to the starting state of a lab; nothing happens when they are up for it already.

        Raises:
            LabError: unknown lab; hosts up for another one and no `switch`; this machine lacks something; a deadline.
        """
        lab, state = self.catalog.lab(id), self.workspace.read_state()
        if self.running == id:
            self._require_alive()
            self._tasks.note(f"The hosts are up for the lab '{id}' already. A fresh start: invoke lab.reset")
            return
        if self.running not in (None, id) and not switch:
            raise LabError(
                f"The hosts are up for the lab '{state['lab']}'.",
                f"invoke lab.up {id} --switch leaves it and starts '{id}'; what you did on the hosts is lost.",
            )
        with self._changing():
            self._start(lab, provider, internet=internet)

    def reset(self, id: str | None = None) -> str:
        """Bring the hosts back to a lab's starting state, whatever was done to them; return the lab's id."""
        state = self.workspace.read_state()
        wanted = id or state.get("lab")
        if not wanted:
            raise LabError("No lab is up, so there is nothing to reset.", "invoke lab.up flannel")
        lab, internet = self.catalog.lab(wanted), bool(state.get("internet"))
        with self._changing():
            self._start(lab, state.get("provider"), internet=internet, network=state.get("network"))
        return str(wanted)

    def down(self) -> None:
        """Remove everything made for this workspace: containers, volumes, network, connections, files."""
        engine = self.engine
        with self._changing(), self._tasks.task("Removing the hosts"):
            self._hosts(engine, self.topology).destroy()

    def purge(self) -> None:
        """Remove what every workspace shares: the cache and our images in the Docker engine."""
        with self._tasks.task(f"Removing {cache_dir()} and the images"):
            self.engine.remove_images()
            shutil.rmtree(cache_dir(), ignore_errors=True)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep others from making or removing these hosts meanwhile; LabError when somebody is at it already."""
        locks = cache_dir() / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(locks / f"{self.workspace.name}.lock", timeout=0):
                yield
        except Timeout:
            raise LabError(
                "Another lab.up, lab.reset or lab.down is at work on these hosts.",
                "Wait until it has ended, then try again.",
            ) from None

    def _start(self, lab: Lab, provider: str | None, *, internet: bool, network: str | None = None) -> None:
        needs = self.catalog.needs(lab.id)
        start = Start(self.workspace, self.engine, self._tasks)
        topology = start.run(lab.id, needs, provider, internet=internet, network=network)
        for earlier in self.catalog.before(lab.id):
            self._tasks.note(f"'{lab.id}' builds on '{earlier.id}': solving it by its own documented steps.")
            self._solve(earlier, topology)
        self.workspace.write_state({**self.workspace.read_state(), "phase": "ready"})

    # --------------------------------------------------------------------------------- check, hint, solve and break

    def labs_up(self, wanted: str = "flannel") -> list[Lab]:
        """Return the labs that the hosts are up for: those solved before, then the one itself; LabError without one."""
        running = self.running
        if running is None:
            phase = self.workspace.read_state().get("phase")
            what = "The last lab.up did not come to its end." if phase else "No lab is up."
            raise LabError(what, f"invoke lab.up {wanted}")
        return [*self.catalog.before(running), self.catalog.lab(running)]

    def check(self, id: str, lang: str, only: Collection[str] = (), junit: Path | None = None) -> Report:
        """Grade a lab on the running hosts; see grading.grade."""
        lab = self.catalog.lab(id)
        self._require_up(lab)
        return grade(lab, self._repo, self.workspace.ssh_config, lang, only, junit)

    def hint(self, id: str, lang: str, objective: str | None = None) -> str:
        """Return the next hint of an objective (by default the first not passed); each call goes one step further."""
        lab = self.catalog.lab(id)
        if objective is None:
            waiting = self.check(id, lang).open
            if not waiting:
                raise LabError(f"All objectives of '{id}' are reached: there is nothing left to hint at.")
            objective = waiting[0]
        one = lab.objective(objective)
        state = self.workspace.read_state()
        given = dict(state.get("hints", {}))
        step = min(int(given.get(objective, 0)), len(one.hints) - 1)
        if state:
            self.workspace.write_state({**state, "hints": {**given, objective: step + 1}})
        return f"{one.title.of(lang)} ({step + 1}/{len(one.hints)})\n{one.hints[step].of(lang)}"

    def steps(self, id: str, until: int | None = None) -> list[Step]:
        """Return the documented steps of a lab, up to and including number `until`."""
        self.catalog.lab(id)
        page = self._repo / "docs" / "labs" / f"{id}.md"
        steps = parse_steps(page, load_topology(self._repo).names, self._repo / "manifests")
        if until is not None and not 1 <= until <= len(steps):
            raise LabError(
                f"'{id}' has steps 1 to {len(steps)}, not {until}.", f"invoke lab.solve {id} --dry-run lists them."
            )
        return steps[:until]

    def solve(self, id: str, until: int | None = None) -> None:
        """Run a lab's documented steps on the hosts, stopping at the first that fails."""
        self.steps(id, until)
        self._require_up(self.catalog.lab(id))
        self._solve(self.catalog.lab(id), self.topology, until)

    def _solve(self, lab: Lab, topology: Topology, until: int | None = None) -> None:
        with Remote(self.workspace) as remote:
            run_steps(self.steps(lab.id, until), remote, self._tasks)

    def plant(self, id: str, fault_id: str | None) -> Fault:
        """Break a solved lab by a documented fault (by default the first) and return which one it was."""
        lab = self.catalog.lab(id)
        if not lab.faults:
            raise LabError(f"The lab '{id}' has no faults to plant.")
        fault = lab.fault(fault_id) if fault_id else lab.faults[0]
        self._require_up(lab)
        drills.note(self.workspace, lab, [*drills.planted(self.workspace, lab), fault.id])
        with Remote(self.workspace) as remote, self._tasks.task("Breaking something"):
            doing = f"The fault '{fault.id}' could not be planted"
            drills.run(fault.commands, remote, doing, f"Faults are made for a solved lab: invoke lab.solve {id}")
        return fault

    def repair(self, id: str, fault_id: str | None) -> Fault:
        """Put right a fault that was planted (by default the last one) and return it; LabError when none is."""
        lab = self.catalog.lab(id)
        self._require_up(lab)
        planted = drills.planted(self.workspace, lab)
        if not planted and not fault_id:
            raise LabError(f"No fault is planted in the lab '{id}'.", f"invoke lab.break {id} plants one.")
        fault = lab.fault(fault_id or planted[-1])
        with Remote(self.workspace) as remote, self._tasks.task("Repairing it"):
            doing = f"The fault '{fault.id}' could not be repaired"
            drills.run(fault.repair, remote, doing, "invoke lab.reset brings fresh hosts.")
        drills.note(self.workspace, lab, [one for one in planted if one != fault.id])
        return fault

    # ------------------------------------------------------------------------------------------------------- status

    def status(self) -> Status:
        """Return the state of hosts, services and cluster, complete even when hosts are dead."""
        running = self.running
        return look(self.workspace, self.engine, self.topology, self.pages(running) if running else [])

    def pages(self, id: str) -> list[str]:
        """Return where a browser on this machine finds the pages of a lab, and of those before it."""
        ports = self.workspace.read_state().get("ports", {})
        labs = [*self.catalog.before(id), self.catalog.lab(id)]
        found = (self.topology.on_loopback(page, ports) for lab in labs for page in lab.pages)
        return [page for page in found if page]

    def reboot(self, host: str) -> None:
        """Turn a host off and on again; returns when its services and the pods that were ready are ready again."""
        topology = self.topology
        topology.host(host)
        if self.running is None:
            raise LabError("No lab is up.", "invoke lab.up flannel")
        cluster = readiness.Api.of(self.workspace, topology)
        with self._tasks.task(f"Rebooting {host}"), Remote(self.workspace) as remote:
            before = cluster.ready_pods(host)
            self._hosts(self.engine, topology).reboot(host)

            def back() -> bool:
                # What the API says of a pod is old news until its kubelet has reported new containers.
                # And a controller manager that ran on the host needs some time to be replaced by another.
                now = cluster.ready_pods(host)
                renewed = all(now.get(pod, old) != old for pod, old in before.items())
                return cluster.is_ready() and renewed and cluster.endpoints_are_current(host)

            ready = readiness.wait_until(back, UP_SECONDS)
            readiness.require(ready, self.workspace, topology, remote)

    def shell(self, host: str) -> int:
        """Open a shell on a host; return its exit status."""
        self.topology.host(host)
        if not self.workspace.ssh_config.exists():
            raise LabError("There are no hosts.", "invoke lab.up flannel")
        return subprocess.run(["ssh", "-F", str(self.workspace.ssh_config), host], check=False).returncode

    @property
    def topology(self) -> Topology:
        """The hosts as they were made: in the network that was chosen then, with the roles that their lab needs."""
        state = self.workspace.read_state()
        roles = self.catalog.needs(state["lab"]).roles if state.get("lab") in self.catalog.labs else []
        return load_topology(self._repo, state.get("network")).demanding(roles)

    def _hosts(self, engine: Engine, topology: Topology) -> Hosts:
        provider = str(self.workspace.read_state().get("provider", "docker"))
        return Hosts(self.workspace, topology, load_edition(self._repo), provider, engine)

    def _require_alive(self) -> None:
        """Raise LabError when a host does not run: starting all afresh would lose what the learner did."""
        if self.workspace.read_state().get("provider", "docker") != "docker":
            return  # the engine knows nothing of virtual machines
        running = {str(one.name).rsplit(".", 1)[-1] for one in self.engine.containers() if one.status == "running"}
        dead = [name for name in self.topology.names if name not in running]
        if dead:
            raise LabError(
                f"The lab is up, but {', '.join(dead)} {'does' if len(dead) == 1 else 'do'} not run.",
                f"invoke host.reboot {dead[0]} starts it again; invoke lab.reset starts afresh.",
            )

    def _require_up(self, lab: Lab) -> None:
        """Raise LabError unless the hosts are up for this lab or one that builds on it."""
        if lab not in self.labs_up(lab.id):
            raise LabError(
                f"The hosts are up for '{self.running}', not for '{lab.id}'.", f"invoke lab.up {lab.id} --switch"
            )
