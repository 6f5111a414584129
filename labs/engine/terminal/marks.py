"""The marks of results, as rich markup."""

from collections.abc import Mapping
from types import MappingProxyType

PASSED, FAILED = "[green]✔[/]", "[red]✘[/]"
MARKS: Mapping[str, str] = MappingProxyType(
    {"passed": PASSED, "failed": FAILED, "blocked": "[dim]•[/]", "error": "[yellow]![/]"}
)
