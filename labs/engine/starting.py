"""Making hosts, from whatever was there before to a lab's starting state; and removing them."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from labs.engine.cache import Cache
from labs.engine.context import Context
from labs.engine.errors import LabError
from labs.engine.hosts import readiness
from labs.engine.hosts.blueprint import write_blueprint
from labs.engine.hosts.provider import Blueprint, HostState, Provider, require
from labs.engine.messages import Message, _, listing
from labs.engine.plan import Plan, make_plan
from labs.engine.software.bundle import load_bundle
from labs.engine.state import State
from labs.engine.waiting import wait_until

UP_SECONDS = 180.0  # how long hosts and cluster may take; measured: 9 s idle, 20 s on a busy machine


def make_hosts(context: Context, lab: str, provider: str, network: str | None, *, internet: bool) -> None:
    """Make fresh hosts for a lab, and wait until they and their cluster are ready. Earlier hosts are removed.

    Whatever can be refused is refused before anything is removed.

    Raises:
        LabError: this machine lacks something, a build fails, a host or the cluster did not start.
    """
    workspace, events, old = context.workspace, context.events, context.workspace.readable_state()
    workspace.require_ours()
    Cache(context.settings.cache).claim()
    topology = context.course.topology.in_network(network)
    maker = context.tools.provider(provider, workspace, topology, context.settings)
    require(maker.check())
    if old is None or (old.provider, old.network) != (provider, str(topology.network)):
        maker.check_network(topology.network)
    software = context.tools.software(context.course, context.settings)
    needs = context.course.needs(lab)
    if context.settings.bundle and software.missing(needs):
        load_bundle(context.course, Cache(context.settings.cache), context.settings.bundle, events)
    software.ensure(needs, topology.with_optional_roles(needs.roles), events)
    plan = make_plan(context.course, software, lab, network)

    remove_hosts(context)
    workspace.claim()
    state = State(
        generation=uuid.uuid4().hex, lab=lab, provider=provider, network=str(topology.network), internet=internet
    )
    workspace.save(state)
    try:
        with events.task(_("Starting {count} hosts", count=len(topology.hosts))):
            _create(context, plan, state)
    except KeyboardInterrupt:
        remove_hosts(context)
        raise


def restore_hosts(context: Context, state: State) -> None:
    """Bring hosts back to their checkpoint, the lab's starting state.

    Raises:
        LabError: the cluster does not come back.
    """
    workspace, topology = context.workspace, context.topology(state)
    # A grading that is going on must not take the hosts from before for these.
    fresh = {"generation": uuid.uuid4().hex, "phase": "starting", "hints": {}, "planted": {}}
    workspace.save(state.model_copy(update=fresh))
    with context.events.task(_("Restoring {count} hosts", count=len(topology.hosts))):
        context.provider(state).restore()
        cluster = context.cluster(state.ports)
        with context.remote() as remote:
            ready = wait_until(cluster.is_ready, UP_SECONDS)
            readiness.require(ready, cluster, remote, topology, workspace.logs)


def _create(context: Context, plan: Plan, state: State) -> None:
    workspace = context.workspace
    provider = context.tools.provider(state.provider, workspace, plan.topology, context.settings)
    facts = provider.facts()
    topology = plan.topology.model_copy(update={"interface": facts.interface})
    edition = context.course.edition
    blueprint = write_blueprint(
        workspace, topology, edition, plan.images, plan.archives, facts, internet=state.internet
    )
    workspace.save(state.model_copy(update={"ports": blueprint.ports}))
    _await_cluster(context, plan, provider, blueprint)


def _await_cluster(context: Context, plan: Plan, provider: Provider, blueprint: Blueprint) -> None:
    cluster = context.cluster(blueprint.ports)
    with ThreadPoolExecutor(1) as pool, context.remote() as remote:
        created = pool.submit(provider.create, blueprint)

        def is_ready() -> bool:
            if created.done() and not created.exception():
                require_running(provider)  # a host that stopped by itself need not be waited for
            return cluster.is_ready()

        ready = wait_until(is_ready, UP_SECONDS, failed=[created])
        created.result()
        readiness.require(ready, cluster, remote, plan.topology, context.workspace.logs)


def require_purgeable(context: Context) -> None:
    """Raise LabError when the cache isn't ours, or other workspaces of this machine have hosts that need it."""
    Cache(context.settings.cache).require_ours()
    topology = context.topology(context.workspace.readable_state())
    for provider in context.tools.providers(context.workspace, topology, context.settings):
        others = provider.others()
        if others:
            raise LabError(
                "busy",
                _("Other workspaces on this machine have hosts: {names}.", names=listing(sorted(others))),
                _("Run `lab.down` in their checkouts first, or `lab.down` without --purge here."),
            )


def purge(context: Context) -> None:
    """Remove what all workspaces share: the cache, and our images in the Docker engine."""
    cache = Cache(context.settings.cache)
    with context.events.task(_("Removing {folder} and the images", folder=cache.root)):
        context.tools.software(context.course, context.settings).remove_images()
        cache.purge()


def require_running(provider: Provider) -> None:
    """Raise LabError when a host isn't running, with the last lines of its console."""
    for host, state in provider.states().items():
        if state is not HostState.RUNNING:
            raise LabError(
                "hosts-not-created",
                _("{host} stopped immediately:\n{output}", host=host, output=_output(provider.last_output(host))),
                _("`invoke doctor` shows what this machine lacks."),
            )


def _output(text: str) -> Message:
    return Message("{text}", {"text": text}) if text else _("(no output)")


def remove_hosts(context: Context) -> None:
    """Remove everything made for this workspace, also what an interrupted run left. The grade record stays.

    Raises:
        LabError: the workspace's folder isn't ours, or a provider refuses.
    """
    workspace = context.workspace
    workspace.require_ours()
    state = workspace.readable_state()
    if state:  # a grading that is going on must not take hosts that vanish for the learner's
        workspace.save(state.model_copy(update={"phase": "removing"}))
    context.access.end_shared_connections()
    topology = context.topology(state)
    known = [context.provider(state)] if state else context.tools.providers(workspace, topology, context.settings)
    for provider in known:
        provider.destroy()
    workspace.remove()
