"""For all tests: Ctrl-C works in what they start, even if they were started with it ignored (`pytest … &`)."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
