"""What checks look at: the hosts, the cluster and its probe pods. All of it reads; nothing changes a host.

A check asserts what the learner is to bring about. Trouble that is not the learner's raises a LabError instead.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from checks.side_by_side import of_each
from labs.engine.errors import LabError

if TYPE_CHECKING:
    from checks.rights import Rule

HOSTS = ("f0-11", "f0-12", "f0-13", "f0-14", "f0-15")
NODES = ("f0-13", "f0-14")


class HostUnreachable(LabError):
    """Nothing can be said of a host that does not answer."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} does not answer over SSH. `invoke lab.status` shows its state.")


class ClusterUnreachable(LabError):
    """Nothing can be said of the cluster while its API does not answer."""


class Connection(BaseBackend):
    """testinfra's way to a host by SSH, bounded in time. Whether connections are shared is up to the ssh_config."""

    NAME = "ssh"

    def __init__(self, name: str, ssh_config: Path) -> None:
        super().__init__(name)
        self._ssh = ["ssh", "-F", str(ssh_config), "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", name]
        # Known, so the host need not be asked.
        self._encoding = "UTF-8"

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command on the host."""
        line = self.get_command(command, *args)
        done = self._bounded(line)
        # 255 is ssh's own failure, but a command may end like that as well.
        if done.returncode == 255 and self._bounded("true").returncode == 255:
            raise HostUnreachable(self.hostname)
        return self.result(done.returncode, line.encode(), done.stdout, done.stderr)

    def answers(self) -> bool:
        """Whether the host runs a command at all; one that is paused takes the connection, and then nothing."""
        try:
            return self._bounded("true", seconds=8).returncode == 0
        except HostUnreachable:
            return False

    def _bounded(self, line: str, seconds: float = 30) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run([*self._ssh, line], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise HostUnreachable(self.hostname) from None


class Hosts:
    """The hosts by name, each asked once whether it answers."""

    def __init__(self, ssh_config: Path) -> None:
        self._ssh_config = ssh_config
        self._known: dict[str, Host | None] = {}

    def __getitem__(self, name: str) -> Host:
        if name not in self._known:
            backend = Connection(name, self._ssh_config)
            host = Host(backend)
            backend.set_host(host)
            self._known[name] = host if backend.answers() else None
        known = self._known[name]
        if known is None:
            raise HostUnreachable(name)
        return known


class Cluster:
    """The cluster by kubectl on the first control plane host that reaches the API."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def get(self, namespace: str, kind: str, name: str) -> dict[str, Any]:
        """An object of the API. That there is none is the learner's matter; all else is not."""
        result = self._kubectl("-n", namespace, "get", kind, name, "-o", "json", "--request-timeout=5s")
        assert "(NotFound)" not in result.stderr, f"There is no {kind} {name} in the namespace {namespace}."
        if result.rc != 0:
            raise ClusterUnreachable(f"The {kind} {name} cannot be read: {_last_line(result.stderr)}")
        content: dict[str, Any] = json.loads(result.stdout)
        return content

    def get_pod(self, namespace: str, name: str) -> dict[str, Any]:
        """A pod as the API has it."""
        return self.get(namespace, "pod", name)

    def list(self, *kinds: str) -> list[dict[str, Any]]:
        """All objects of some kinds, of every namespace."""
        result = self._kubectl("get", ",".join(kinds), "--all-namespaces", "-o", "json", "--request-timeout=5s")
        if result.rc != 0:
            raise ClusterUnreachable(f"The cluster's objects cannot be read: {_last_line(result.stderr)}")
        items: list[dict[str, Any]] = json.loads(result.stdout)["items"]
        return items

    def may(self, user: str, verb: str, resource: str) -> bool:
        """Whether a user may do something, in every namespace."""
        result = self._kubectl("auth", "can-i", verb, resource, "--all-namespaces", f"--as={user}")
        if result.stdout.strip() not in ("yes", "no"):
            raise ClusterUnreachable(f"The API does not say what {user} may do: {_last_line(result.stderr)}")
        return bool(result.stdout.strip() == "yes")

    def rules(self, user: str) -> Mapping[str, Sequence["Rule"]]:
        """What a user may do in each namespace: the API's answer to a SelfSubjectRulesReview, which is not kept."""
        names = [one["metadata"]["name"] for one in self.list("namespaces")]
        return of_each(lambda namespace: self._rules_in(namespace, user), names)

    def _rules_in(self, namespace: str, user: str) -> Sequence["Rule"]:
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
        review = json.dumps({**kind, "spec": {"namespace": namespace}})
        result = self._kubectl("create", f"--as={user}", "-o", "json", "--validate=false", "-f", "-", given=review)
        if result.rc != 0:
            raise ClusterUnreachable(f"The API does not say what {user} may do: {_last_line(result.stderr)}")
        found: Sequence[Rule] = json.loads(result.stdout)["status"]["resourceRules"]
        return found

    def exec(self, namespace: str, pod: str, *command: str) -> CommandResult:
        """Run a command in a pod, for at most ten seconds (exit status 124 after that)."""
        result = self._kubectl("-n", namespace, "exec", pod, "--", *command)
        if result.rc not in (0, 124) and "command terminated with exit code" not in result.stderr:
            raise ClusterUnreachable(f"The pod {pod} takes no commands: {_last_line(result.stderr)}")
        return result

    def _kubectl(self, *arguments: str, given: str = "") -> CommandResult:
        command = "printf %%s %s | timeout 10 kubectl" + " %s" * len(arguments)
        for name in NODES:
            try:
                host = self._hosts[name]
                result = host.run(command, given, *arguments)
                if result.rc == 0 or host.run("timeout 5 kubectl get --raw /readyz").rc == 0:
                    return result
            except HostUnreachable:
                continue
        raise ClusterUnreachable(
            "The cluster's API answers neither on f0-13 nor on f0-14. `invoke lab.status` shows the state of the hosts."
        )


def _last_line(text: str) -> str:
    return next(iter(text.strip().splitlines()[-1:]), "no reason given")


@pytest.fixture(scope="session")
def hosts(pytestconfig: pytest.Config) -> Hosts:
    """All hosts, by the ssh_config of the running lab."""
    ssh_config = Path(pytestconfig.getoption("ssh_config") or pytestconfig.rootpath / ".labs/ssh_config")
    if not ssh_config.exists():
        raise LabError("There are no hosts. `invoke lab.up ID` brings them up.")
    return Hosts(ssh_config)


@pytest.fixture(scope="session")
def f0_11(hosts: Hosts) -> Host:
    """Name server, proxies."""
    return hosts["f0-11"]


@pytest.fixture(scope="session")
def f0_12(hosts: Hosts) -> Host:
    """etcd, proxies."""
    return hosts["f0-12"]


@pytest.fixture(scope="session")
def f0_13(hosts: Hosts) -> Host:
    """etcd, control plane, node."""
    return hosts["f0-13"]


@pytest.fixture(scope="session")
def f0_14(hosts: Hosts) -> Host:
    """etcd, control plane, node."""
    return hosts["f0-14"]


@pytest.fixture(scope="session")
def f0_15(hosts: Hosts) -> Host:
    """Operations: registry, k8s-yaml site."""
    return hosts["f0-15"]


@pytest.fixture(scope="session")
def every_host(hosts: Hosts) -> None:
    """All hosts answer. What is asked from afar can't be told from a failure when its host is dead."""
    of_each(hosts.__getitem__, HOSTS)


@pytest.fixture(scope="session")
def nodes(hosts: Hosts) -> Mapping[str, Host]:
    """The hosts that pods run on."""
    return of_each(hosts.__getitem__, NODES)


@pytest.fixture(scope="session")
def cluster(hosts: Hosts) -> Cluster:
    """The cluster's API."""
    return Cluster(hosts)


@pytest.fixture(scope="session")
def pods(cluster: Cluster) -> Mapping[str, str]:
    """The addresses of the probe pods by the node they run on."""
    return of_each(lambda name: _probe_address(cluster, name), NODES)


def _probe_address(cluster: Cluster, node: str) -> str:
    # The probes are the course's own: that one is missing is nobody's mistake in a lab.
    try:
        address: str = cluster.get_pod("kube-system", f"probe-{node}")["status"].get("podIP", "")
    except AssertionError:
        address = ""
    if not address:
        raise ClusterUnreachable(f"The probe pod of {node} has no address. `invoke lab.status` shows the cluster.")
    return address
