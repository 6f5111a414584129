"""What the checks of the Flannel lab look at: read once, from both nodes at a time, in as few commands as possible."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

from checks import answers
from checks.side_by_side import of_each
from labs.engine.errors import LabError

if TYPE_CHECKING:
    from checks.conftest import Cluster

PREFIX = "/coreos.com/network"
NODES = ("f0-13", "f0-14")
OTHER = {"f0-13": "f0-14", "f0-14": "f0-13"}
Found = TypeVar("Found")

# The oldest flanneld: its process id, its parent's, its control group and the unit that control group belongs to.
FLANNELD = """\
pid=$(pgrep -o -x flanneld) || exit 0
unit=$(ps -ww -o unit= -p "$pid")
ps -ww -o pid=,ppid=,cgroup= -p "$pid"
timeout 5 systemctl show --property=Id,ActiveState,MainPID,UnitFileState,Restart "$unit"
"""


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
        """Whether it is what the unit looks after: the main process itself, or what that one started."""
        return self.unit.get("MainPID") in (self.process, self.parent)


@dataclass(frozen=True)
class Route:
    """What a node does with a packet: hands it to a gateway by a device, or gives up for a reason."""

    gateway: str
    device: str
    refusal: str


@dataclass(frozen=True)
class Callers:
    """Who a pod is to those it calls: to the other node's pod, and to a web server outside the cluster."""

    inside: str
    outside: str


@pytest.fixture(scope="session")
def addresses(f0_12: Host) -> Mapping[str, str]:
    """The addresses at which the nodes and f0-15 are reached, as another host knows them."""
    answer = f0_12.run("getent ahostsv4 f0-13; getent ahostsv4 f0-14; getent ahostsv4 f0-15").stdout
    found = [line.split() for line in answer.splitlines() if "STREAM" in line]
    return dict(zip((*NODES, "f0-15"), (line[0] for line in found), strict=True))


@pytest.fixture(scope="session")
def etcd(f0_12: Host) -> Mapping[str, str]:
    """What etcd holds for flannel."""
    answer = f0_12.run("timeout 8 sudo etcdctl get --prefix %s -w json", f"{PREFIX}/")
    if answer.rc != 0:
        raise LabError("etcd does not answer on f0-12. `invoke lab.status` shows its state.")
    pairs = json.loads(answer.stdout).get("kvs", [])
    return {_text(pair["key"]): _text(pair.get("value", "")) for pair in pairs}


@pytest.fixture(scope="session")
def network_config(etcd: Mapping[str, str]) -> Mapping[str, Any]:
    """The configuration that every flanneld reads."""
    text = etcd.get(f"{PREFIX}/config")
    assert text is not None, f"etcd holds nothing under {PREFIX}/config (looked for with the v3 API)."
    config = json_object(text)
    assert config, f"{PREFIX}/config is no JSON object: {text[:80]}"
    return config


@pytest.fixture(scope="session")
def leases(etcd: Mapping[str, str]) -> Mapping[str, str]:
    """The leased subnets, and at which address each says its node is reached."""
    found = [(re.fullmatch(rf"{PREFIX}/subnets/([\d.]+)-(\d+)", key), value) for key, value in etcd.items()]
    return {f"{key[1]}/{key[2]}": str(json_object(value).get("publicip", "")) for key, value in found if key}


@pytest.fixture(scope="session")
def subnets(pods: Mapping[str, str]) -> Mapping[str, str]:
    """The subnet that each node's pods live in."""
    return {node: str(ip_network(f"{address}/24", strict=False)) for node, address in pods.items()}


@pytest.fixture(scope="session")
def flannelds(nodes: Mapping[str, Host]) -> Mapping[str, Flanneld | None]:
    """The running flanneld of each node."""
    return of_both(lambda node: _flanneld(nodes[node].run("sh -c %s", FLANNELD).stdout))


@pytest.fixture(scope="session")
def routes(nodes: Mapping[str, Host], pods: Mapping[str, str]) -> Mapping[str, Route]:
    """What each node does with a packet for the other node's pod."""
    return of_both(lambda node: _route(nodes[node].run("timeout 5 ip -json route get %s", pods[OTHER[node]])))


@pytest.fixture(scope="session")
def pings(cluster: "Cluster", pods: Mapping[str, str]) -> Mapping[str, CommandResult]:
    """How each node's pod fares when it pings the other's."""
    return of_both(lambda node: cluster.exec("kube-system", f"probe-{node}", "ping", "-c1", "-W2", pods[OTHER[node]]))


@pytest.fixture(scope="session")
def callers(cluster: "Cluster", pods: Mapping[str, str], addresses: Mapping[str, str]) -> Mapping[str, Callers]:
    """Who each node's pod is to those it calls."""

    def ask(node: str) -> Callers:
        inside, outside = f"http://{pods[OTHER[node]]}/", f"http://{addresses['f0-15']}/client"
        script = f"echo inside $(wget -qO- -T2 {inside} | grep ^RemoteAddr:); echo outside $(wget -qO- -T2 {outside})"
        answer = cluster.exec("kube-system", f"probe-{node}", "sh", "-c", script).stdout
        lines = dict(line.partition(" ")[::2] for line in answer.splitlines())
        caller = lines.get("inside", "").removeprefix("RemoteAddr: ").rpartition(":")[0]
        return Callers(caller, lines.get("outside", ""))

    return of_both(ask)


def of_both(look: Callable[[str], Found]) -> Mapping[str, Found]:
    """What there is to see on each of the two nodes, looked at side by side."""
    return of_each(look, NODES)


def json_object(text: str) -> dict[str, Any]:
    """A JSON object with its names in lower case, as flannel reads them; empty if the text is none."""
    return {name.lower(): value for name, value in answers.json_object(text).items()}


def _flanneld(answer: str) -> Flanneld | None:
    process, *properties = answer.splitlines() or [""]
    if not process:
        return None
    unit = dict(line.split("=", 1) for line in properties if "=" in line)
    number, parent, groups = process.split(None, 2)
    return Flanneld(number, parent, groups, unit)


def _route(answer: CommandResult) -> Route:
    if answer.rc != 0:
        return Route("", "", answer.stderr.strip())
    route = json.loads(answer.stdout)[0]
    return Route(route.get("gateway", ""), route.get("dev", ""), "")


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
