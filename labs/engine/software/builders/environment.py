"""The environment of builds: the user's mirrors, proxies and certificates, and nothing that would change a result."""

import re

from labs.engine.processes import environment

_CHANGES_RESULTS = re.compile(r"(GO[A-Z0-9]*|CGO_\w+|PIP_\w+|PYTHON\w*|CC|CXX|AR|LD|\w*FLAGS|LD_PRELOAD)")
GO_MIRRORS = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOVCS")
PIP_MIRRORS = (
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
    *("cert", "client-cert", "proxy", "timeout", "default-timeout", "retries", "cache-dir"),
)
_KEPT = {
    *GO_MIRRORS,
    "GOENV",
    "GODEBUG",  # what a company's proxy may need of TLS is set there
    "PIP_CONFIG_FILE",
    *(f"PIP_{name.upper().replace('-', '_')}" for name in PIP_MIRRORS),
}
# A build runs without a terminal, so no program may ask for a password.
_NO_QUESTIONS: dict[str, str | None] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": None,
    "GCM_INTERACTIVE": "never",
    "PIP_NO_INPUT": "1",
    "PIP_KEYRING_PROVIDER": "disabled",
}
UMASK = 0o022


def build_environment(**changes: str | None) -> dict[str, str]:
    """Return the environment of a build, with some variables set, or removed where the value is None."""
    removed = {name: None for name in environment() if _CHANGES_RESULTS.fullmatch(name) and name not in _KEPT}
    return environment(**{**removed, **_NO_QUESTIONS, **changes})
