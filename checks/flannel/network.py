"""What flannel sets up: its configuration and leases in etcd, flanneld and its unit, routes, addresses of pods."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from testinfra.backend.base import CommandResult
from testinfra.host import Host

from checks.http_answers import json_object
from labs.engine.errors import LabError
from labs.engine.messages import _

PREFIX = "/coreos.com/network"
POD_NETWORK = "172.7.0.0/16"

# The oldest flanneld: its process id, its parent's, its control group and the unit that control group belongs to.
FLANNELD = """\
pid=$(pgrep -o -x flanneld) || exit 0
unit=$(ps -ww -o unit= -p "$pid")
ps -ww -o pid=,ppid=,cgroup= -p "$pid"
timeout 5 systemctl show --property=Id,ActiveState,MainPID,UnitFileState,Restart "$unit"
"""


@dataclass(frozen=True)
class NetworkConfig:
    """The configuration that every flanneld reads, its keys in lower case: flannel ignores their case."""

    content: Mapping[str, Any]

    @property
    def network(self) -> str:
        """The network that all pods share."""
        return str(self.content.get("network", ""))

    @property
    def is_pod_network(self) -> bool:
        """Whether that network is the one in which the nodes' pods live."""
        try:
            return str(ip_network(self.network, strict=False)) == POD_NETWORK
        except ValueError:
            return False

    @property
    def subnet_length(self) -> int:
        """The prefix length of a node's subnet."""
        return self.content.get("subnetlen", 0) or 24

    @property
    def backend(self) -> str:
        """The backend, empty if none is chosen."""
        backend = self.content.get("backend", {})
        return str(backend.get("Type", backend.get("type", ""))) if isinstance(backend, dict) else ""


@dataclass(frozen=True)
class Flanneld:
    """The running flanneld of a node and the unit that runs it."""

    process: str
    parent: str
    groups: str
    unit: Mapping[str, str]

    @property
    def is_pod(self) -> bool:
        """Whether it runs in a pod: then kubelet supervises it."""
        return "kubepods" in self.groups

    @property
    def is_main_process(self) -> bool:
        """Whether systemd supervises it: it is the unit's main process or a child of that."""
        return self.unit.get("MainPID") in (self.process, self.parent)


@dataclass(frozen=True)
class Route:
    """What a node does with a packet: it sends it to a gateway through a device, or refuses it for a reason."""

    gateway: str
    device: str
    refusal: str


@dataclass(frozen=True)
class SourceAddresses:
    """The address that a pod's peers see: the other node's pod, and a web server outside the cluster."""

    inside: str
    outside: str


def read_etcd(host: Host) -> Mapping[str, str]:
    """Return what etcd holds for flannel. Raises LabError when etcd doesn't answer."""
    result = host.run("timeout 8 sudo etcdctl get --prefix %s -w json", f"{PREFIX}/")
    if result.rc != 0:
        raise LabError(
            "cluster-unreachable",
            _("etcd does not answer on {host}.", host=host.backend.hostname),
            _("Run `invoke lab.status` to see its state."),
        )
    pairs = json.loads(result.stdout).get("kvs", [])
    return {_decoded(pair["key"]): _decoded(pair.get("value", "")) for pair in pairs}


def parse_config(text: str) -> NetworkConfig | None:
    """Return the configuration in a text; None if the text is no JSON object."""
    content = {name.lower(): value for name, value in json_object(text).items()}
    return NetworkConfig(content) if content else None


def parse_leases(etcd: Mapping[str, str]) -> Mapping[str, str]:
    """Return the leased subnets, and for each the address at which other nodes should reach its node."""
    matches = [(re.fullmatch(rf"{PREFIX}/subnets/([\d.]+)-(\d+)", key), value) for key, value in etcd.items()]
    return {f"{key[1]}/{key[2]}": _public_ip(value) for key, value in matches if key}


def parse_flanneld(output: str) -> Flanneld | None:
    """Return the flanneld in the output of FLANNELD; None if there is none."""
    process, *properties = output.splitlines() or [""]
    if not process:
        return None
    unit = dict(line.split("=", 1) for line in properties if "=" in line)
    number, parent, groups = process.split(None, 2)
    return Flanneld(number, parent, groups, unit)


def parse_route(result: CommandResult) -> Route:
    """Return the route in the result of `ip -json route get`."""
    if result.rc != 0:
        return Route("", "", result.stderr.strip())
    route = json.loads(result.stdout)[0]
    return Route(route.get("gateway", ""), route.get("dev", ""), "")


def _public_ip(lease: str) -> str:
    return next((str(value) for name, value in json_object(lease).items() if name.lower() == "publicip"), "")


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
