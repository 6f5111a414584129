"""Probes: fixtures that look at the hosts. They run side by side, so a grading takes as long as its slowest probe.

A probe is a session-scoped fixture that is a plain function of other probes: no `yield`, no `request`, no parameters.
Its value holds for a round. When an objective is tried again, its probes are evaluated anew in another round.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

WORKERS = 128  # more than there are probes: a probe waits for those it depends on in its own thread


class Probes:
    """The probes of a pytest session. `changed` is set whenever one has finished."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.changed = threading.Event()
        self._given = dict(given)
        self._functions: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
        self._adopted: dict[str, pytest.FixtureDef[Any]] = {}
        self._rounds: list[dict[str, Future[Any]]] = [{}]
        self._current = 0
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(WORKERS)

    def adopt(self, definitions: Mapping[str, pytest.FixtureDef[Any]], names: Collection[str]) -> set[str]:
        """Make probes of the fixtures among `names`, and of those they depend on; return the names of all these."""
        return {probe for name in names for probe in self._adopt(definitions, name)}

    def _adopt(self, definitions: Mapping[str, pytest.FixtureDef[Any]], name: str) -> set[str]:
        definition = definitions.get(name)
        if definition is None or self._adopted.get(name, definition) is not definition:
            return set()  # two files have a fixture of this name: pytest knows which one is meant
        if name in self._functions:
            needed = self._functions[name][1]
        elif not self._is_probe(definitions, definition):
            return set()
        else:
            needed = tuple(definition.argnames)
            self._functions[name], self._adopted[name] = (definition.func, needed), definition
            # pytest calls this in place of the fixture, and gets what the probe found.
            vars(definition)["func"] = functools.partial(self._recall, name)
        return {name}.union(*(self._adopt(definitions, other) for other in needed if other not in self._given))

    def _is_probe(self, definitions: Mapping[str, pytest.FixtureDef[Any]], definition: pytest.FixtureDef[Any]) -> bool:
        return (
            definition.scope == "session"
            and not definition.params
            and not inspect.isgeneratorfunction(definition.func)
            and all(
                name in self._given or (name in definitions and self._is_probe(definitions, definitions[name]))
                for name in definition.argnames
            )
        )

    def open_round(self) -> int:
        """Begin another round and return its number: probes that are started in it are evaluated anew."""
        with self._lock:
            self._rounds.append({})
            return len(self._rounds) - 1

    def start(self, names: Collection[str], number: int) -> None:
        """Start probes of a round that were not started yet."""
        for name in names:
            self._start(name, number)

    def ready(self, names: Collection[str], number: int) -> bool:
        """Return whether all these probes of a round have finished."""
        return all(name in self._rounds[number] and self._rounds[number][name].done() for name in names)

    def use(self, number: int) -> None:
        """Let pytest's fixtures have the values of this round from now on."""
        self._current = number

    def _start(self, name: str, number: int) -> Future[Any]:
        with self._lock:
            probes = self._rounds[number]
            if name not in probes:
                probes[name] = self._pool.submit(self._evaluate, name, number)
                probes[name].add_done_callback(lambda _: self.changed.set())
            return probes[name]

    def _evaluate(self, name: str, number: int) -> Any:
        function, needed = self._functions[name]
        values = {
            other: self._given[other] if other in self._given else self._start(other, number).result()
            for other in needed
        }
        return function(**values)

    def _recall(self, name: str, /, **_: object) -> Any:
        return self._start(name, self._current).result()
