"""The dashboard's page as people use it: in a browser, by keyboard, at the address that `lab.up` prints."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from labs.engine.course.lab_files import Lab
from labs.engine.session import Session
from tests.course.browser import CHROMIUM, DRIVER, MISSING, Browser, browser, colours
from tests.course.conftest import LABS, REPO, results

Run = Callable[[str, str], str]
Open = Callable[[str], AbstractContextManager[Browser]]
DASHBOARD = next(lab for lab in LABS if lab.id == "dashboard")
PICTURES = REPO / "docs/labs/img"
EVENT = """
kubectl create -f - <<'END'
apiVersion: v1
kind: Event
metadata: {name: markup, namespace: default}
type: Normal
reason: Testing
message: "<img src=x onerror=document.title='taken-over'>"
involvedObject: {kind: Pod, name: nobody, namespace: default}
lastTimestamp: "2026-01-01T00:00:00Z"
END
"""
READY_MADE = """
kubectl create serviceaccount looker
kubectl create clusterrolebinding looker --clusterrole=view --serviceaccount=default:looker
kubectl create token looker > viewer.token
"""
pytestmark = pytest.mark.parametrize("lab", [DASHBOARD], ids=[DASHBOARD.id])


@pytest.fixture
def has_browser() -> None:
    """Asked for before the hosts are: without a browser they are not needed."""
    if not (CHROMIUM and DRIVER):
        pytest.skip(MISSING)


@pytest.fixture
def shown(has_browser: None, kept: Session) -> Session:
    """The solved lab. Tests with a browser only look at it."""
    return kept


def page(course: Session, name: str) -> str:
    return next(one for one in course.pages("dashboard") if f"//{name}." in one)


@pytest.fixture
def opened(shown: Session, tmp_path: Path) -> Open:
    """Opens a browser that prefers a language on the dashboard."""

    def start(language: str) -> AbstractContextManager[Browser]:
        return browser(tmp_path / "profile", shown.workspace.root / "api/ca.pem", page(shown, "dashboard"), language)

    return start


@pytest.fixture
def window(opened: Open, shown: Session) -> Iterator[Browser]:
    """A browser on the dashboard, signed out."""
    with opened("en-US") as window:
        window.open(page(shown, "dashboard"))
        window.await_text("Sign in to the cluster")
        yield window


@pytest.fixture
def token(run: Run) -> str:
    return run("f0-13", "cat viewer.token")


@pytest.fixture
def signed_in(window: Browser, token: str) -> Browser:
    """The same, and the viewer has signed in by keyboard."""
    assert window.focused == "Token"
    window.press(token, "\ue007")
    window.await_text("Signed in as system:serviceaccount:dashboard:dashboard-viewer")
    return window


def test_a_viewer_sees_workloads_and_namespaces(signed_in: Browser) -> None:
    assert "coredns" in signed_in.await_text("DaemonSet", within="main")
    assert {"All namespaces", "dashboard", "kube-system"} <= set(signed_in.texts("#namespace option"))


def test_a_viewer_reads_the_log_of_a_pod_and_signs_out(signed_in: Browser) -> None:
    signed_in.follow("Pods")
    seen = signed_in.await_text("whoami-", within="main")
    pod = next(line.split()[0] for line in seen.splitlines() if line.startswith("coredns-"))
    signed_in.follow(pod)
    signed_in.await_text("CoreDNS-", within="main pre")
    signed_in.follow("Sign out")
    signed_in.await_text("Sign in to the cluster")
    assert signed_in.texts("main") == [""]
    assert signed_in.kept == 0


def test_a_reload_keeps_who_is_signed_in(signed_in: Browser, shown: Session) -> None:
    signed_in.open(f"{page(shown, 'dashboard')}#/events")
    signed_in.await_text("Signed in as")


@pytest.mark.parametrize("wrong", ["no.such.token", "not even a token", "中文"])
def test_a_wrong_token_is_reported_in_one_sentence(window: Browser, wrong: str) -> None:
    window.press(wrong, "\ue007")
    window.await_text("This token is not accepted", within="#refused")
    assert window.focused == "Token"
    assert window.kept == 0


def test_it_is_in_chinese_in_a_chinese_browser(opened: Open, shown: Session) -> None:
    with opened("zh-CN") as window:
        window.open(page(shown, "dashboard"))
        window.await_text("登录集群")
        assert window.focused == "令牌"


def test_what_comes_from_the_cluster_is_text_and_never_runs(signed_in: Browser, run: Run) -> None:
    run("f0-13", EVENT)
    signed_in.follow("Events")
    seen = signed_in.await_text("<img src=x", within="main")
    images = signed_in.texts("main img")
    run("f0-13", "kubectl delete event markup")
    assert "onerror=" in seen
    assert images == []


def test_pictures_for_the_pages_of_the_labs(signed_in: Browser, shown: Session, tmp_path: Path) -> None:
    signed_in.follow("Pods")
    signed_in.await_text("whoami-", within="main")
    taken = {"dashboard.png": signed_in.picture(tmp_path / "dashboard.png")}
    signed_in.open(page(shown, "whoami"))
    signed_in.await_text("Hostname: whoami-")
    taken["whoami.png"] = signed_in.picture(tmp_path / "whoami.png")
    for name, picture in taken.items():
        if os.environ.get("F0_GOLDEN") == "write":
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / name).write_bytes(picture)
        shown_in_docs = (PICTURES / name).read_bytes()
        assert min(colours(picture), colours(shown_in_docs)) > 30
        assert len(shown_in_docs) < 100_000


def test_the_built_in_role_for_viewers_passes_too(solved: Session, lab: Lab, run: Run) -> None:
    run("f0-13", READY_MADE)
    assert results(solved.check(lab.id))["viewer"] == "passed"
