"""The cluster by kubectl, on the first control plane host that reaches its API."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from testinfra.backend.base import CommandResult

from checks.connection import Hosts, HostUnreachable
from checks.names import NODES, probe
from checks.permissions import Permission, Permissions, access_review, rules_review
from checks.workloads import Object
from labs.engine.errors import LabError
from labs.engine.messages import Message, _, verbatim


class ClusterUnreachable(LabError):
    """The cluster's API doesn't answer, so nothing can be observed in the cluster."""

    def __init__(self, message: Message) -> None:
        super().__init__("cluster-unreachable", message, _("Run `invoke lab.status` to see the state of the hosts."))


class Cluster:
    """The cluster's API. May be used by several threads."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def list(self, *kinds: str) -> Sequence[Object]:
        """Return all objects of some kinds, from every namespace."""
        result = self._kubectl("get", ",".join(kinds), "--all-namespaces", "-o", "json", "--request-timeout=5s")
        if result.rc != 0:
            raise ClusterUnreachable(
                _("The cluster's objects cannot be read: {reason}", reason=_last_line(result.stderr))
            )
        items: Sequence[Object] = json.loads(result.stdout)["items"]
        return items

    def permissions(self, user: str, namespaces: Iterable[str], needed: Sequence[Permission] = ()) -> Permissions:
        """Return which needed permissions a user lacks, and the rules that hold for it in each namespace."""
        namespaces = list(namespaces)
        reviews = [*map(access_review, needed), *map(rules_review, namespaces)]
        question = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
        result = self._kubectl("create", f"--as={user}", "-o", "json", "--validate=false", "-f", "-", stdin=question)
        statuses = [answer["status"] for answer in _objects(result.stdout)]
        if result.rc != 0 or len(statuses) != len(reviews):
            reason = _last_line(result.stderr)
            raise ClusterUnreachable(
                _("The API does not say what {user} is allowed to do: {reason}", user=user, reason=reason)
            )
        access, rules = statuses[: len(needed)], statuses[len(needed) :]
        missing = [
            permission for permission, status in zip(needed, access, strict=True) if not status.get("allowed", False)
        ]
        return Permissions(
            user,
            missing,
            {name: status["resourceRules"] for name, status in zip(namespaces, rules, strict=True)},
        )

    def exec(self, node: str, *command: str) -> CommandResult:
        """Run a command in a node's probe pod, for at most ten seconds (exit status 124 after that)."""
        pod = probe(node)
        result = self._kubectl("-n", "kube-system", "exec", pod, "--", *command)
        if result.rc not in (0, 124) and "command terminated with exit code" not in result.stderr:
            raise ClusterUnreachable(
                _("The pod {pod} does not run commands: {reason}", pod=pod, reason=_last_line(result.stderr))
            )
        return result

    def _kubectl(self, *arguments: str, stdin: str = "") -> CommandResult:
        command = "printf %%s %s | timeout 10 kubectl" + " %s" * len(arguments)
        for name in NODES:
            try:
                host = self._hosts[name]
                result = host.run(command, stdin, *arguments)
                if result.rc == 0 or host.run("timeout 5 kubectl get --raw /readyz").rc == 0:
                    return result
            except HostUnreachable:
                continue
        raise ClusterUnreachable(_("The cluster's API answers neither on f0-13 nor on f0-14."))


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """Return the JSON objects that follow each other in kubectl's output."""
    decoder, rest = json.JSONDecoder(), text.lstrip()
    while rest:
        item, end = decoder.raw_decode(rest)
        yield item
        rest = rest[end:].lstrip()


def _last_line(text: str) -> Message:
    last = next(iter(text.strip().splitlines()[-1:]), "")
    return verbatim(last) if last else _("no reason given")
