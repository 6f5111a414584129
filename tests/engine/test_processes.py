"""The environment of the programs that the engine starts."""

import pytest

from labs.engine.processes import environment


def test_the_users_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert environment()["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_a_variable_is_set_or_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    changed = environment(GOFLAGS=None, GOWORK="off")
    assert ("GOFLAGS" in changed, changed["GOWORK"]) == (False, "off")
