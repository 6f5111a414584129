"""What an account may do, by the rules in which the API tells it."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

Rule = Mapping[str, Any]
READING = {"get", "list", "watch"}
HARMLESS = {"authorization.k8s.io", "authentication.k8s.io"}  # to ask what one may, and who one is


def beyond(rules: Iterable[Rule], reading: Collection[str] = (), updating: Collection[str] = ()) -> list[str]:
    """The rights other than reading these resources and updating those, each as `VERB RESOURCE.GROUP`."""
    found = (
        (verb, f"{resource}.{group}".rstrip("."))
        for rule in rules
        for verb, group, resource in product(rule["verbs"], rule.get("apiGroups", []), rule.get("resources", []))
        if group not in HARMLESS
    )
    allowed = {**dict.fromkeys(READING, reading), "update": updating, "patch": updating}
    return [
        f"{verb} {resource}"
        for verb, resource in dict.fromkeys(found)
        if not any(fnmatchcase(resource, one) for one in allowed.get(verb, ()))
    ]


def shortened(rights: Collection[str]) -> str:
    """A list of rights for a sentence, which may be long."""
    more = len(rights) - 6
    return ", ".join(list(rights)[:6]) + (f" and {more} more" if more > 0 else "")
