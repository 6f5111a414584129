"""For all tests: Ctrl-C works in what they start, also where whoever started them had it ignored (`pytest … &`)."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
