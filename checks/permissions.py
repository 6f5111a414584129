"""Permissions of an account, from the rules and reviews in which the API states them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from labs.engine.messages import Message, _, lines, listing

Rule = Mapping[str, Any]
Permission = tuple[str, str]  # verb and RESOURCE.GROUP
GROUP = "authorization.k8s.io"
READING = {"get", "list", "watch"}
HARMLESS = {GROUP, "authentication.k8s.io"}  # asking what you may do, and who you are
SECRET_RESOURCES = ("secrets", "secrets.*", "*", "*.*")  # the resources of rules that include Secrets


@dataclass(frozen=True)
class Permissions:
    """What an account lacks of the permissions it needs, and the rules that hold for it in each namespace."""

    user: str
    missing: Sequence[Permission] = ()
    rules: Mapping[str, Sequence[Rule]] = field(default_factory=dict)

    @property
    def missing_listing(self) -> Message:
        """The missing permissions for a sentence."""
        return listing(" ".join(permission) for permission in self.missing)

    def excess(self, reading: Collection[str] = (), updating: Collection[str] = ()) -> Mapping[str, Sequence[str]]:
        """Return by namespace the permissions other than reading and updating these resources, if there are any."""
        excess = {name: excess_permissions(rules, reading, updating) for name, rules in self.rules.items()}
        return {namespace: permissions for namespace, permissions in excess.items() if permissions}


def excess_permissions(
    rules: Iterable[Rule],
    reading: Collection[str] = (),
    updating: Collection[str] = (),
    hidden: Collection[str] = (),
) -> list[str]:
    """Return the permissions other than reading and updating these resources, each as `VERB RESOURCE.GROUP`.

    Args:
        rules: the rules of a SelfSubjectRulesReview
        reading: patterns of resources that may be read
        updating: patterns of resources that may be updated
        hidden: resources (as rules name them) that may not be read although a pattern allows it
    """
    granted = (
        (verb, f"{resource}.{group}".rstrip("."))
        for rule in rules
        for verb, group, resource in product(rule["verbs"], rule.get("apiGroups", []), rule.get("resources", []))
        if group not in HARMLESS
    )
    allowed = {**dict.fromkeys(READING, reading), "update": updating, "patch": updating}
    return [
        f"{verb} {resource}"
        for verb, resource in dict.fromkeys(granted)
        if resource in hidden or not any(fnmatchcase(resource, pattern) for pattern in allowed.get(verb, ()))
    ]


def excess_listing(excess: Mapping[str, Sequence[str]]) -> Message:
    """Return excess permissions for a sentence; the namespaces that have the same ones together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for namespace, granted in excess.items():
        groups.setdefault(tuple(granted), []).append(namespace)
    return lines(
        (
            _(
                "in the namespaces {namespaces}: {permissions}",
                namespaces=listing(names),
                permissions=listing(same, limit=6),
            )
            for same, names in groups.items()
        ),
        separator="; ",
    )


def rules_review(namespace: str) -> Mapping[str, Any]:
    """Return the question what the asking account may do in a namespace. The API answers it and stores nothing."""
    return _review("SelfSubjectRulesReview", {"namespace": namespace})


def access_review(permission: Permission) -> Mapping[str, Any]:
    """Return the question whether the asking account has a permission in all namespaces."""
    verb, (resource, _dot, group) = permission[0], permission[1].partition(".")
    return _review(
        "SelfSubjectAccessReview", {"resourceAttributes": {"verb": verb, "group": group, "resource": resource}}
    )


def _review(kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "spec": spec}
