"""What is answered, taken apart: by web servers, and as JSON."""

import json
import re
from collections.abc import Iterable
from typing import Any

from testinfra.host import Host

END = "===== end of an answer"


def visit(host: Host, urls: Iterable[str], *options: str, seconds: int) -> list[tuple[str, str]]:
    """Ask for pages from a host, one after the other: a status (000 for none) and a body each.

    Those that `seconds` in all do not suffice for are missing.
    """
    words = ["--connect-timeout", "2", "-m", "4", "-w", rf"\n%{{http_code}}\n{END}\n", *options, *urls]
    said = host.run(f"timeout {seconds} curl -s" + " %s" * len(words), *words).stdout
    return [(status, body) for body, status in re.findall(rf"(.*?)\n(\d{{3}})\n{END}\n", said, re.S)]


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object; empty if the text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
