"""Starting hosts that were stopped, with everything that the learner did on them."""

from collections.abc import Collection
from datetime import UTC, datetime

from labs.engine.context import Context
from labs.engine.errors import LabError
from labs.engine.hosts import readiness
from labs.engine.hosts.provider import HostState
from labs.engine.hosts.remote import Remote
from labs.engine.messages import _, listing
from labs.engine.starting import UP_SECONDS
from labs.engine.waiting import wait_until


def start_stopped(context: Context) -> list[str]:
    """Start all hosts that are stopped or paused, together; return their names once everything on them is back.

    Raises:
        LabError: no lab is up, a host is gone for good, or the cluster doesn't come back.
    """
    states = context.provider(context.require_state()).states()
    gone = [host for host, state in states.items() if state is HostState.ABSENT]
    if gone:
        raise LabError(
            "hosts-stopped",
            _("These hosts don't exist any more: {hosts}.", hosts=listing(gone)),
            _("`invoke lab.reset` makes fresh hosts."),
        )
    stopped = [host for host, state in states.items() if state is not HostState.RUNNING]
    if stopped:
        with context.events.task(_("Starting {hosts}", hosts=listing(stopped))):
            _start(context, stopped)
    return stopped


def reboot(context: Context, host: str) -> None:
    """Shut a host down and start it again; return once everything on it is back.

    Raises:
        LabError: no lab is up, there is no such host, other hosts are stopped, or the cluster doesn't come back.
    """
    context.course.topology.host(host)
    state = context.require_state()
    provider = context.provider(state)
    stopped = [name for name, found in provider.states().items() if found is not HostState.RUNNING and name != host]
    if stopped:
        raise stopped_error(stopped)
    with context.events.task(_("Rebooting {host}", host=host)):
        provider.stop([host])
        _start(context, [host])


def require_running(context: Context) -> None:
    """Raise LabError when a host of the running lab is stopped."""
    states = context.provider(context.require_state()).states()
    stopped = [host for host, state in states.items() if state is not HostState.RUNNING]
    if stopped:
        raise stopped_error(stopped)


def stopped_error(hosts: Collection[str]) -> LabError:
    """Return the error for hosts that are not running."""
    return LabError(
        "hosts-stopped",
        _("The lab is up, but these hosts are stopped: {hosts}.", hosts=listing(hosts)),
        _("`invoke lab.start` starts them and keeps your work; `invoke lab.reset` makes fresh hosts."),
    )


def _start(context: Context, hosts: Collection[str]) -> None:
    state = context.require_state()
    topology, cluster, since = context.topology(state), context.cluster(state.ports), datetime.now(UTC)
    context.access.end_shared_connections()  # those to the hosts as they were are dead
    context.access.make_control_folder()
    context.provider(state).start(hosts)
    nodes = [host for host in hosts if host in {node.name for node in topology.all_with_role("node")}]

    with context.remote() as remote:

        def is_back() -> bool:
            # What the API says of a pod is old news until its kubelet has reported new containers, and a controller
            # manager that ran on one of the hosts is replaced by another only after a while.
            return (
                all(_answers(remote, host) for host in hosts)
                and cluster.is_ready()
                and cluster.pods_are_renewed(since, nodes)
                and all(cluster.endpoints_are_current(node) for node in nodes)
            )

        ready = wait_until(is_back, UP_SECONDS)
        readiness.require(ready, cluster, remote, topology, context.workspace.logs)


def _answers(remote: Remote, host: str) -> bool:
    try:
        return remote.run(host, "true", seconds=5).status == 0
    except LabError:
        return False
