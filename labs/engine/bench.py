"""The project's own benchmark: how long each task takes, compared with a baseline, measured in one run."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labs.engine.context import Context, Tools
from labs.engine.course.course import Course
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hosts.blueprint import write_blueprint
from labs.engine.hosts.providers import choose_provider
from labs.engine.messages import _
from labs.engine.plan import Plan, make_plan
from labs.engine.session import Session
from labs.engine.settings import Settings
from labs.engine.software.software import Software
from labs.engine.starting import UP_SECONDS, remove_hosts
from labs.engine.waiting import wait_until
from labs.engine.workspace import Workspace

MIB = 1 << 20


def run_bench(
    course: Course,
    workspace: Workspace,
    settings: Settings,
    events: Events,
    lab: str | None = None,
    tools: Tools | None = None,
) -> list[dict[str, Any]]:
    """Return times in seconds, memory and sizes in MiB, for one lab or each, with warm caches.

    Raises:
        LabError: there is no such lab; a lab is up; a task fails.
    """
    labs = [course.catalog.lab(lab)] if lab else list(course.catalog.labs.values())
    if workspace.readable_state():
        raise LabError(
            "other-lab", _("A lab is up, and the benchmark would remove its hosts."), _("First run: invoke lab.down")
        )
    bench = _Bench(Context(course, workspace, settings, events, tools or Tools()))
    return [bench.measure(lab.id) for lab in labs]


@dataclass(frozen=True)
class _Bench:
    context: Context

    def measure(self, lab: str) -> dict[str, Any]:
        context = self.context
        session = Session(context.course, context.workspace, context.settings, context.events, context.tools)
        session.up(lab)  # builds what isn't built yet
        session.down()
        plan = make_plan(context.course, self._software, lab, context.settings.network)
        times = {"baseline": self._baseline(plan)}
        try:
            times["up"] = seconds(lambda: session.up(lab))
            times["check_before"] = seconds(lambda: session.check(lab))
            times["solve"] = seconds(lambda: session.solve(lab))
            times["check"] = statistics.median(seconds(lambda: session.check(lab)) for __ in range(3))
            labs = [each.id for each in session.labs_up()]
            times["check_all"] = statistics.median(seconds(lambda: session.check_all(labs)) for __ in range(3))
            memory = {host.name: host.memory_mib for host in session.status().hosts}
            times["reset"] = seconds(session.reset)
        finally:
            times["down"] = seconds(session.down)
        times["up_per_baseline"] = times["up"] / times["baseline"]
        times["list"] = statistics.median(seconds(_list_labs) for __ in range(3))
        return {
            "lab": lab,
            "seconds": {name: round(value, 2) for name, value in times.items()},
            "memory_mib": {**memory, "all": sum(used or 0 for used in memory.values())},
            "size_mib": self._sizes(plan),
        }

    @property
    def _software(self) -> Software:
        return self.context.tools.software(self.context.course, self.context.settings)

    def _baseline(self, plan: Plan) -> float:
        """Return how long the same hosts take, made bare by their provider, until their kubelets' nodes are Ready."""
        context, workspace = self.context, self.context.workspace
        name = choose_provider(None, context.settings)
        provider = context.tools.provider(name, workspace, plan.topology, context.settings)
        workspace.claim()
        facts, edition = provider.facts(), context.course.edition
        blueprint = write_blueprint(
            workspace, plan.topology, edition, plan.images, plan.archives, facts, internet=False
        )
        cluster = context.cluster(blueprint.ports)

        def run() -> None:
            provider.create(blueprint)
            if not wait_until(lambda: cluster.ready_nodes() == cluster.nodes, UP_SECONDS):
                raise LabError(
                    "cluster-not-ready", _("The bare containers did not become a cluster."), _("See: invoke doctor")
                )

        with context.events.task(_("Measuring the baseline: bare containers")):
            measured = seconds(run)
        remove_hosts(context)
        return measured

    def _sizes(self, plan: Plan) -> dict[str, float]:
        folders = self._software.components([plan.needs]).values()
        built = [file for folder in folders for file in folder.rglob("*") if not file.is_symlink()]
        return {
            "host_images": sum(self._software.image_size(tag) for tag in set(plan.images.values())) // MIB,
            "components": sum(file.stat().st_size for file in built) // MIB,
            "archives": round(sum(path.stat().st_size for path in plan.archives.values()) / MIB, 1),
        }


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _list_labs() -> None:
    """Start the quickest task as a user does: what it takes is the start-up time of every task."""
    subprocess.run([sys.executable, "-m", "invoke", "lab.list"], check=True, capture_output=True)
