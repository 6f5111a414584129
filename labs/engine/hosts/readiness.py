"""Waiting for services and cluster of the hosts, and the diagnosis when they are not ready in time."""

from collections.abc import Collection
from pathlib import Path

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.kube_api import KubeApi
from labs.engine.hosts.remote import Remote
from labs.engine.messages import Message, _, lines, listing, verbatim

# While a failed unit waits for its restart, systemd calls the host "running"; this waits for such units as well.
# It polls, because `is-system-running --wait` sometimes hung when it was called during boot.
BOOTED = """\
state() { systemctl is-system-running || true; }
boots() {
    case $(state) in
        degraded) false ;;
        running) systemctl list-units --state=activating --plain --no-legend | grep -q . ;;
    esac
}
end=$((SECONDS + 90))
while boots && [ $SECONDS -lt $end ]; do sleep 0.2; done
if boots; then echo starting; else state; fi
"""

_TROUBLE = """\
for unit in $(systemctl list-units --state=failed,activating --plain --no-legend | awk '{print $1}'); do
    echo "$unit is $(systemctl is-active "$unit" || true)"
    sudo journalctl --unit "$unit" --lines 5 --no-pager --output cat || true
done
"""


def require(ready: bool, cluster: KubeApi, remote: Remote, topology: Topology, logs: Path) -> None:
    """Wait for the services of all hosts, once the cluster is `ready`.

    Raises:
        LabError: cluster-not-ready: it wasn't in time; the diagnosis is also written to `logs`/up.log.
            host-not-ready: see wait_for_units.
    """
    if not ready:
        problem = cluster_problem(cluster.nodes, cluster.ready_nodes() & cluster.ready_probes(), remote)
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / "up.log"
        log.write_text(f"{problem}\n", encoding="utf-8")
        raise LabError("cluster-not-ready", problem, _("{log} has this text. Start afresh: invoke lab.reset", log=log))
    wait_for_units(remote, topology.names)


def wait_for_units(remote: Remote, hosts: Collection[str]) -> None:
    """Wait until systemd has started all units on every host.

    Raises:
        LabError: host-not-ready, with the diagnosis of the first host that has a failed unit, or is still booting
            after 90 s.
    """
    for result in remote.run_everywhere(hosts, BOOTED, seconds=120):
        if "running" not in result.output:
            raise LabError(
                "host-not-ready",
                diagnosis(remote, result.host),
                _("Look at the host: invoke host.ssh {host}. Start afresh: invoke lab.reset", host=result.host),
            )


def diagnosis(remote: Remote, host: str) -> Message:
    """Return which units of a host have failed or are still starting, with the last lines that each logged."""
    try:
        output = remote.run(host, _TROUBLE, seconds=20).output.strip()
    except LabError as error:
        return _did_not_start(host, error.message)
    return _did_not_start(host, verbatim(output) if output else _("No unit failed, but the host is still booting."))


def cluster_problem(nodes: Collection[str], ready: Collection[str], remote: Remote) -> Message:
    """Return which nodes are not `ready`, with the diagnosis of their hosts: of all nodes when each is ready."""
    late = sorted(set(nodes) - set(ready)) or sorted(nodes)
    problem = _("Not ready in time: {nodes}.", nodes=listing(late))
    return lines([problem, *(diagnosis(remote, host) for host in late)])


def _did_not_start(host: str, output: Message) -> Message:
    return _("{host} did not start:\n{output}", host=host, output=output)
