"""What README, CI and the files of the build promise each other."""

import re

import pytest

from tests.docs.pages import REPO, repository_files

COMMANDS = ["./setup.sh && .venv/bin/invoke lab.up flannel", "./setup.sh && .venv/bin/invoke test"]
BUILD_FILES = [
    path.relative_to(REPO).as_posix()
    for path in repository_files(
        "requirements*", "pyproject.toml", "setup.sh", "vagrant/*", ".ci/*", ".npmrc", "*.toml"
    )
]
# A URL may lead to a host of the labs, named or by template, to the host itself, or to the API as pods see it; and
# the name of an XML namespace looks like one. A password that a template fills in may precede. All else is a site.
PASSWORD = r"(?:\w+:\{\{[^}]+\}\}@)?"
OURS = r"127\.0\.0\.1|localhost|f0-|[\w-]*\.?\{\{|[\w.-]*\bfrank\.com|kubernetes\.default\.svc/|www\.w3\.org/2000/svg\""
URL = re.compile(rf"https?://(?!{PASSWORD}(?:{OURS}))[^\s\"'`)>]+")
# A setting of a package client together with the name of a host.
SETTING = re.compile(
    r"(?:index-url|find-links|trusted-host|registry|UV_DEFAULT_INDEX|UV_INDEX|PIP_INDEX_URL|GOPROXY|GOSUMDB)"
    r"\s*[=: ]\s*[\"']?[a-z0-9-]+\.[a-z0-9.-]+\.?[a-z]+",
    re.I,
)


def test_the_readme_names_the_two_commands() -> None:
    assert re.findall(r"^ {4}(\./setup\.sh .*?)\s+#", (REPO / "README.md").read_text(), re.M) == COMMANDS


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    assert re.findall(r"^.*setup\.sh.*$", (REPO / ".ci/run").read_text(), re.M) == COMMANDS[1:]


def test_build_files_are_looked_at() -> None:
    assert {"requirements.txt", "pyproject.toml", "setup.sh", ".ci/run", "vagrant/versions.yml"} <= set(BUILD_FILES)


@pytest.mark.parametrize("name", BUILD_FILES)
def test_no_registry_or_mirror_is_named(name: str) -> None:
    text = (REPO / name).read_text()
    assert [*URL.findall(text), *SETTING.findall(text)] == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://mirror.example/simple",
        "--extra-index-url=http://10.0.0.1:8080/simple",
        "GOPROXY=proxy.example.org,direct",
        "ENV UV_DEFAULT_INDEX='pypi.example.org/simple'",
        "registry = npm.example.org",
        "deb https://deb.example.org/debian trixie main",
    ],
)
def test_a_registry_or_mirror_would_be_found(line: str) -> None:
    assert [*URL.findall(line), *SETTING.findall(line)] != []


@pytest.mark.parametrize(
    "line",
    [
        "server: https://127.0.0.1:6443",
        "--etcd-servers=https://{{ other.name }}:2379",
        "# http://k8s-yaml.{{ topology.domain }}/<lab>/<file>",
        "pip config set global.index-url …, or UV_DEFAULT_INDEX for uv",
    ],
)
def test_a_host_of_the_labs_is_no_registry(line: str) -> None:
    assert [*URL.findall(line), *SETTING.findall(line)] == []
