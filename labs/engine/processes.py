"""The environment of the programs that the engine starts."""

import os
from collections.abc import Mapping


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with some variables set, or removed where the value is None."""
    changed = {**os.environ, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def path() -> Mapping[str, str]:
    """Return the variables that decide where programs are found."""
    return {"PATH": os.environ.get("PATH", os.defpath)}
