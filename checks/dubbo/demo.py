"""What clients of demo.frank.com get, and what the monitor counts of it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from testinfra.host import Host

from checks.dubbo.application import APPLICATIONS, CONSUMER, PROVIDER
from checks.dubbo.registry import CURL
from checks.http_answers import HttpAnswer, get_pages, json_object
from labs.engine.messages import Message, _
from labs.engine.waiting import wait_until

PAGE = "http://demo.frank.com/hello"
MONITOR = "http://dubbo-monitor.frank.com/"
COUNTED = {PROVIDER: "dubbo_provider_requests_succeed_total", CONSUMER: "dubbo_consumer_requests_succeed_total"}
RECENTLY = "2m"
COUNTING_SECONDS = 15  # Dubbo sums up every 5 s, and Prometheus asks every 5 s


@dataclass(frozen=True)
class Greeting(HttpAnswer):
    """What a client of demo.frank.com gets, who asked to be greeted by a word."""

    word: str = ""

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body if it is a JSON object, else empty."""
        return json_object(self.body)

    @property
    def is_greeting(self) -> bool:
        """Whether it is a page that greets by that word."""
        return self.status == "200" and self.word in str(self.content.get("message", ""))

    def detail(self, side: str, key: str) -> str:
        """Return the `pod` or `version` that its provider or consumer states."""
        details = self.content.get(side)
        return str(details.get(key, "")) if isinstance(details, dict) else ""

    @property
    def evidence(self) -> Message:
        """The answer in a few words."""
        if self.status == "000":
            return _("no answer")
        return _("status {status}: {body}", status=self.status, body=" ".join(self.body.split())[:120])


@dataclass(frozen=True)
class Calls:
    """The calls that the monitor counted of an application: at some time before, and now."""

    before: float
    now: float

    @property
    def grew(self) -> bool:
        """Whether calls were counted in between."""
        return self.now > self.before


def ask_demo(host: Host, times: int) -> Sequence[Greeting]:
    """Ask demo.frank.com, one time after the other."""
    words = [f"client-{secrets.token_hex(3)}" for _time in range(times)]
    answers = get_pages(host, [f"{PAGE}?name={word}" for word in words], seconds=28)
    return [Greeting(answer.status, answer.body, word) for answer, word in zip(answers, words, strict=False)]


def count_calls(host: Host) -> Mapping[str, Calls]:
    """Return the calls of each application that the monitor counted recently, or else while this asks for pages."""
    past = _counts(host, f" offset {RECENTLY}")
    counts = [_counts(host)]
    recent = {name: Calls(past[name], counts[0][name]) for name in APPLICATIONS}
    # A monitor that has lost its targets has no current number, so there is nothing to wait for.
    if all(calls.grew for calls in recent.values()) or not any(counts[0].values()):
        return recent
    ask_demo(host, 5)

    def all_grew() -> bool:
        counts.append(_counts(host))
        return all(calls.grew for calls in growth(counts).values())

    wait_until(all_grew, COUNTING_SECONDS)
    return growth(counts)


def growth(counts: Sequence[Mapping[str, float]]) -> Mapping[str, Calls]:
    """Return the lowest and the last count of each application.

    The first count may be too high: after a rollout, the monitor drops the counts of old pods, and new pods start at 0.
    """
    return {name: Calls(min(count[name] for count in counts), counts[-1][name]) for name in counts[0]}


def read_monitor(host: Host) -> HttpAnswer:
    """Return the monitor's first page, after redirections."""
    output = host.run(f"{CURL} -L -w %s %s", r"\n%{http_code}", MONITOR).stdout
    body, _line, status = output.rpartition("\n")
    return HttpAnswer(status, body)


def _counts(host: Host, time: str = "") -> Mapping[str, float]:
    urls = [f"{MONITOR}api/v1/query?query={quote(f'sum({COUNTED[name]}{time})')}" for name in APPLICATIONS]
    answers = get_pages(host, urls, seconds=10)
    bodies = [answer.body for answer in answers] + [""] * (len(urls) - len(answers))
    return {name: _value(body) for name, body in zip(APPLICATIONS, bodies, strict=True)}


def _value(body: str) -> float:
    vector = json_object(body).get("data", {}).get("result") or []
    return float(vector[0]["value"][1]) if vector else 0.0
