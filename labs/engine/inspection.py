"""The status of a session, complete even when its hosts are dead or its state is damaged."""

from collections.abc import Callable, Sequence

from labs.engine.cache import Cache
from labs.engine.context import Context
from labs.engine.errors import LabError
from labs.engine.hosts.status import Progress, Status, host_statuses


def inspect(context: Context, pages: Callable[[str], Sequence[str]]) -> Status:
    """Return the state of hosts, services, cluster, disk and grade record; takes some seconds when hosts hang."""
    damaged = False
    try:
        state = context.state
    except LabError as error:
        state, damaged = None, True
        context.events.note(error.message)
        context.events.note(error.hint)
    topology, provider = context.topology(state), context.provider(state)
    ports = state.ports if state else {}
    with context.remote() as remote:
        hosts = host_statuses(provider, topology, ports, remote)
    nodes = sorted(context.cluster(ports).ready_nodes()) or None if ports else None
    free = Cache(context.settings.cache).free_disk() / (1 << 30)
    ready = state is not None and state.phase == "ready"
    return Status(
        lab=state.lab if state else None,
        phase="damaged" if damaged else state.phase if state else "down",
        hosts=hosts,
        nodes=nodes,
        cache_free_gib=round(free, 1),
        pages=pages(state.lab) if state and ready else [],
        progress=_progress(context),
    )


def _progress(context: Context) -> dict[str, Progress]:
    return {
        lab: Progress(
            points=entry.points,
            max_points=context.course.catalog.lab(lab).max_points,
            hints=entry.hints,
            faults=entry.faults,
            resets=entry.resets,
        )
        for lab, entry in context.record.progress().items()
        if lab in context.course.catalog.labs
    }
