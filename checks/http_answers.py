"""Answers of web servers, and JSON."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from testinfra.host import Host

from labs.engine.messages import Message, _

END = "===== end of an answer"


@dataclass(frozen=True)
class HttpAnswer:
    """What a client gets from a web server: a status (000 for no answer at all) and the body."""

    status: str
    body: str = ""

    @property
    def evidence(self) -> Message:
        """The answer in a few words."""
        return _("no answer") if self.status == "000" else _("status {status}", status=self.status)


NO_ANSWER = HttpAnswer("000")


def get_pages(host: Host, urls: Iterable[str], *options: str, seconds: int) -> list[HttpAnswer]:
    """Get pages from a host by curl, one after the other. Those that `seconds` in all don't suffice for are missing."""
    words = ["--connect-timeout", "2", "-m", "4", "-w", rf"\n%{{http_code}}\n{END}\n", *options, *urls]
    output = host.run(f"timeout {seconds} curl -s" + " %s" * len(words), *words).stdout
    return [HttpAnswer(status, body) for body, status in re.findall(rf"(.*?)\n(\d{{3}})\n{END}\n", output, re.S)]


def json_object(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one if the text isn't any."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
