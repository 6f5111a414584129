"""The environment of builds: mirrors are kept, and what would change a result is not."""

import pytest

from labs.engine.software.builders.environment import build_environment


@pytest.mark.parametrize(
    "name",
    [
        *("GOROOT", "GOOS", "GOARCH", "GOARM64", "GO111MODULE", "GOFLAGS", "GOEXPERIMENT", "GOAUTH", "GOPATH"),
        *("CGO_CFLAGS", "CC", "CFLAGS", "LDFLAGS", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME", "SSH_ASKPASS"),
        *("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY", "PIP_CONSTRAINT"),
    ],
)
def test_what_changes_a_result_is_removed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "the user's")
    assert name not in build_environment()


@pytest.mark.parametrize(
    "name",
    [
        *("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOENV", "GODEBUG"),
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_PROXY", "PIP_CONFIG_FILE"),
        *("https_proxy", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GOOGLE_ACCOUNT", "HOME"),
    ],
)
def test_mirrors_proxies_and_certificates_are_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "the user's")
    assert build_environment()[name] == "the user's"


def test_no_program_asks_for_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_ASKPASS", "ask-in-a-window")
    environment = build_environment()
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert environment["GIT_ASKPASS"] == "true"
    assert environment["PIP_NO_INPUT"] == "1"


def test_a_build_can_set_and_remove_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "the user's")
    environment = build_environment(GOOS="linux", GOPROXY=None)
    assert environment["GOOS"] == "linux"
    assert "GOPROXY" not in environment
