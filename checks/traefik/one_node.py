"""A proxy's configuration while only one node answers, tried in a network of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from testinfra.host import Host

from checks.traefik.ingress import TIMES
from labs.engine.errors import LabError
from labs.engine.messages import Message, _, verbatim

# Port 81 answers on one node and is refused on the other.
# Nothing outlives the command: processes, addresses and files belong to the namespaces.
ONE_NODE = r"""
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log/nginx && ip link set lo up || exit 1
for name in f0-11 f0-12 f0-13 f0-14 f0-api; do
  ip address add "$(getent hosts $name.frank.com | awk 'NR == 1 {print $1}')/32" dev lo
done
printf 'pid /run/node.pid; events {} http { access_log off; server { listen %s; return 200; } }' \
  "$(getent hosts "$2.frank.com" | awk 'NR == 1 {print $1}'):81" > /run/node.conf
nginx -c /run/node.conf || exit 1
echo ready
nginx 2>&1 || exit 0
curl -s -m 4 -o /dev/null -w '%{http_code}\n' -H 'Host: whoami.frank.com' $(yes "http://$1.frank.com/" | head -n "$3")
"""


@dataclass(frozen=True)
class Trial:
    """What nginx says when it starts with a proxy's configuration, and the statuses of requests."""

    complaint: str
    statuses: Sequence[str]

    @property
    def lost(self) -> Sequence[str]:
        """The statuses of the requests that weren't answered by the node that is left."""
        return [status for status in self.statuses if status != "200"]


def try_one_node(host: Host, proxy: str, node: str) -> Trial:
    """Send requests through a proxy's configuration. Raises LabError if the host can't provide a network for that."""
    command = "timeout 20 sudo unshare --net --mount --pid --fork --kill-child sh -c %s sh %s %s %s"
    lines = [line for line in host.run(command, ONE_NODE, proxy, node, str(TIMES)).stdout.split("\n") if line]
    if lines[:1] != ["ready"]:
        output: Message = verbatim(" ".join(lines)) if lines else _("no output")
        raise LabError(
            "host-not-ready",
            _(
                "The configuration of {proxy} cannot be tried in a network of its own: {output}.",
                proxy=proxy,
                output=output,
            ),
        )
    return Trial(lines[-1], [line for line in lines if line.isdecimal()])
