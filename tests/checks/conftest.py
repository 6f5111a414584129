"""A script in the place of ssh: what checks get from hosts that never were."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.connection import Hosts

Ssh = Callable[[str], Hosts]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    """Has this script answer for all hosts: $host is the host that is asked, $line the command."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def write(script: str) -> Hosts:
        words = "for word; do host=$line; line=$word; done"
        program.write_text(f"#!/bin/sh\n{words}\n{script}\n")
        program.chmod(0o755)
        return Hosts(tmp_path / "ssh_config")

    return write
