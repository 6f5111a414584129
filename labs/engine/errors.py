"""The one exception that a user is meant to read."""

from typing import Literal

from labs.engine.messages import Message, Sentence, render, verbatim

# Each has its entry on docs/reference/troubleshooting.md (a test compares them).
Code = Literal[
    "build-failed",
    "bundle",
    "busy",
    "cluster-not-ready",
    "cluster-unreachable",
    "course-files",
    "debian-packages",
    "disk-full",
    "disk-space",
    "docker-permission",
    "docker-unavailable",
    "fault-failed",
    "foreign-folder",
    "go-missing",
    "grader",
    "host-not-ready",
    "host-timeout",
    "host-unreachable",
    "hosts-not-created",
    "hosts-stopped",
    "image-build",
    "inotify",
    "memory",
    "moved-workspace",
    "network-in-use",
    "network-invalid",
    "no-lab",
    "not-owner",
    "nothing-to-do",
    "optimised-python",
    "other-lab",
    "ports-taken",
    "provider-unavailable",
    "registry-unreachable",
    "result-file",
    "state-damaged",
    "step-failed",
    "unknown-name",
    "usage",
    "vagrant",
]


class LabError(Exception):
    """Something the user can understand: what happened, and what to do about it.

    Args:
        code: its entry on the troubleshooting page
        message: what happened, one sentence (output of a program may follow)
        hint: what to do about it
    """

    def __init__(self, code: Code, message: Sentence | str, hint: Sentence | str = "") -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = _sentence(message)
        self.hint = _sentence(hint)

    def __str__(self) -> str:
        return render(self.message, "en")


def _sentence(text: Sentence | str) -> Message:
    if isinstance(text, Message):
        return text
    return verbatim(text) if isinstance(text, str) else Message("{text}", {"text": text})
