"""The course's tasks: `invoke --list` names them, `invoke --help TASK` explains one; labs/engine does the work.

What a task needs is imported in the task: `invoke --list` and `lab.list` don't wait for what only others use.
"""

# ruff: noqa: D103 - the decorator's first argument describes a task, in both languages

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context

from labs.engine.messages import _, language
from labs.engine.terminal.cli import allow_optional_positionals, exit_with, integer, make_task

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from labs.engine.events import Events
    from labs.engine.session import Session
    from labs.engine.terminal.progress import Display

REPO = Path(__file__).resolve().parent
LANG = language(os.environ)
task = partial(make_task, LANG)


def session(events: Events) -> Session:
    """Return the session that this process's environment sets."""
    from labs.engine.course.course import load_course
    from labs.engine.session import Session
    from labs.engine.settings import read_settings
    from labs.engine.workspace import Workspace

    settings = read_settings()
    return Session(load_course(REPO), Workspace.of(REPO, settings), settings, events)


def console() -> Console:
    """Return standard output, for results."""
    from rich.console import Console

    return Console()


def progress() -> AbstractContextManager[Display]:
    """Show events on standard error."""
    from labs.engine.terminal.progress import progress

    return progress(LANG)


# ---------------------------------------------------------------------------------------------------------------- lab


@task(
    _("List the labs: minutes, points, what each builds on, and which one is up."),
    name="list",
    help={"json": _("print the list as JSON")},
)
def list_labs(context: Context, json: bool = False) -> None:
    from labs.engine.course.catalog import load_catalog
    from labs.engine.settings import read_settings
    from labs.engine.terminal import show
    from labs.engine.workspace import Workspace

    state = Workspace.of(REPO, read_settings()).state
    show.labs(load_catalog(REPO).labs.values(), state, console(), LANG, as_json=json)


@task(
    _("Bring up the hosts at the starting state of a lab (the labs it builds on are solved)."),
    help={
        "id": _("the lab, see lab.list"),
        "switch": _("leave the lab that is up"),
        "provider": _("docker, virtualbox or libvirt"),
        "network": _("the hosts' network, a /24 such as 192.168.57.0/24"),
        "internet": _("let the hosts reach the internet"),
    },
)
def up(
    context: Context,
    id: str,
    switch: bool = False,
    provider: str | None = None,
    network: str | None = None,
    internet: bool = False,
) -> None:
    from labs.engine.terminal import show

    with progress() as events:
        lab = session(events)
        lab.up(id, switch=switch, provider=provider, network=network, internet=internet or None)
    show.summary(lab, id, console(), LANG)


@task(
    _("Grade your cluster. Exit status: 0 all passed, 1 not yet, 2 the grader or the hosts have a problem."),
    positional=["id"],
    help={
        "id": _("the lab; by default the one that is up"),
        "all": _("grade the labs it builds on as well"),
        "only": _("grade only this objective (may be repeated)"),
        "watch": _("grade again and again until all objectives pass"),
        "json": _("print the report as JSON"),
        "junit": _("write a JUnit file as well"),
    },
    iterable=["only"],
)
def check(
    context: Context,
    only: list[str],
    id: str = "",
    all: bool = False,
    watch: bool = False,
    json: bool = False,
    junit: str | None = None,
) -> None:
    from labs.engine.terminal.check import Request, gradings, show, show_json

    request = Request(id, only, all, watch, Path(junit) if junit else None)
    with progress() as events:
        results = gradings(session(events), request)
        code = show_json(request, results) if json else show(request, results, events, console(), LANG)
    exit_with(code)


@task(
    _("Show the next hint; each call goes one step further."),
    positional=["id", "objective"],
    help={"id": _("the lab"), "objective": _("the objective; by default the first one that has not passed")},
)
def hint(context: Context, id: str, objective: str = "") -> None:
    from labs.engine.terminal import show

    with progress() as events:
        hint = session(events).hint(id, objective or None)
    show.hint(hint, console(), LANG)


@task(
    _("Run the steps of the lab's page on the hosts."),
    help={
        "id": _("the lab"),
        "until": _("stop after the step with this number"),
        "dry_run": _("only list the steps"),
    },
)
def solve(context: Context, id: str, until: str | None = None, dry_run: bool = False) -> None:
    from labs.engine.terminal import show

    last = integer(until) if until is not None else None
    with progress() as events:
        lab = session(events)
        if dry_run:
            show.steps(lab.steps(id, last), console(), LANG)
        else:
            lab.solve(id, last)


@task(
    _("Bring the hosts back to the lab's starting state, whatever was done to them."),
    positional=["id"],
    help={"id": _("the lab; by default the one that is up")},
)
def reset(context: Context, id: str = "") -> None:
    from labs.engine.terminal import show

    with progress() as events:
        lab = session(events)
        id = lab.reset(id or None)
    show.summary(lab, id, console(), LANG)


@task(_("Start hosts that have stopped, such as after a restart of this machine; your work on them is kept."))
def start(context: Context) -> None:
    with progress() as events:
        session(events).start()


@task(
    _("Break a solved lab by a documented fault, to practise finding it."),
    name="break",
    positional=["id", "fault"],
    help={
        "id": _("the lab"),
        "fault": _("which fault; by default the first one"),
        "list": _("only list the faults"),
    },
)
def break_(context: Context, id: str, fault: str = "", list: bool = False) -> None:
    from labs.engine.terminal import show

    with progress() as events:
        lab = session(events)
        if list:
            show.faults(lab.course.catalog.lab(id), console(), LANG)
        else:
            show.say(lab.plant(id, fault or None).title, console(), LANG)


@task(
    _("Repair what lab.break broke, and show how: the drill's solution."),
    positional=["id", "fault"],
    help={"id": _("the lab"), "fault": _("which fault; by default the one planted last")},
)
def repair(context: Context, id: str, fault: str = "") -> None:
    from labs.engine.terminal import show

    with progress() as events:
        repaired = session(events).repair(id, fault or None)
    show.repaired(repaired, console(), LANG)


@task(
    _("Show hosts, services, cluster, addresses, disk, memory, and your progress."),
    help={"json": _("print the status as JSON")},
)
def status(context: Context, json: bool = False) -> None:
    from labs.engine.terminal import show

    with progress() as events:
        status = session(events).status()
    show.status(status, console(), LANG, as_json=json)


@task(
    _("Remove the hosts and everything made for them. The grade record (.labs-record) stays."),
    help={"purge": _("remove the cache and the images as well: everything is built again next time")},
)
def down(context: Context, purge: bool = False) -> None:
    with progress() as events:
        session(events).down(purge=purge)


# --------------------------------------------------------------------------------------------------------------- host


@task(_("Open a shell on a host."), help={"name": _("the host, such as f0-13")})
def ssh(context: Context, name: str) -> None:
    from labs.engine.events import Events

    exit_with(session(Events()).shell(name))


@task(
    _("Shut a host down, start it again, and wait until it is back."),
    help={"name": _("the host, such as f0-14")},
)
def reboot(context: Context, name: str) -> None:
    with progress() as events:
        session(events).reboot(name)


# ------------------------------------------------------------------------------------------------------ docs and bundle


@task(
    _("Show the study site at http://127.0.0.1:8000 and follow changes."),
    name="serve",
    help={"port": _("the port on loopback")},
)
def docs_serve(context: Context, port: str = "8000") -> None:
    address = f"127.0.0.1:{integer(port)}"
    context.run(f"{REPO}/.venv/bin/mkdocs serve --config-file {REPO}/mkdocs.yml --dev-addr {address}", pty=True)


@task(_("Build the study site into site/, strictly: a broken link is an error."), name="build")
def docs_build(context: Context) -> None:
    context.run(f"{REPO}/.venv/bin/mkdocs build --strict --quiet --config-file {REPO}/mkdocs.yml")


@task(
    _("Write everything that a machine without a network needs into one file."),
    name="save",
    help={"file": _("where to write the bundle (.tar)")},
)
def bundle_save(context: Context, file: str = "f0-labs-bundle.tar") -> None:
    from labs.engine.cache import Cache
    from labs.engine.course.course import load_course
    from labs.engine.settings import read_settings
    from labs.engine.software.bundle import save_bundle
    from labs.engine.terminal import show

    with progress() as events:
        size = save_bundle(load_course(REPO), Cache(read_settings().cache), Path(file), events)
    saved = _("{file}: {mib} MiB. On the other machine: invoke bundle.load {file}", file=file, mib=size >> 20)
    show.say(saved, console(), LANG)


@task(_("Fill the cache from a bundle."), name="load", help={"file": _("the bundle")})
def bundle_load(context: Context, file: str) -> None:
    from labs.engine.cache import Cache
    from labs.engine.course.course import load_course
    from labs.engine.settings import read_settings
    from labs.engine.software.bundle import load_bundle

    with progress() as events:
        load_bundle(load_course(REPO), Cache(read_settings().cache), Path(file), events)


# ------------------------------------------------------------------------------------------ this machine, this project


@task(
    _("Say what this machine can and can't do for the course, and what to do about it."),
    help={"json": _("print the findings as JSON")},
)
def doctor(context: Context, json: bool = False) -> None:
    from labs.engine.doctor import examine
    from labs.engine.settings import read_settings
    from labs.engine.terminal import show

    findings = examine(read_settings())
    show.findings(findings, console(), LANG, as_json=json)
    exit_with(show.exit_code(findings))


@task(
    _("Measure up, reset, check, solve, memory and sizes, compared with a baseline, as JSON."),
    positional=["id"],
    help={"id": _("the lab to measure; by default all")},
)
def bench(context: Context, id: str = "") -> None:
    from labs.engine.bench import run_bench
    from labs.engine.course.course import load_course
    from labs.engine.settings import read_settings
    from labs.engine.terminal.as_json import to_json
    from labs.engine.workspace import Workspace

    settings = read_settings()
    with progress() as events:
        measured = run_bench(load_course(REPO), Workspace.of(REPO, settings), settings, events, id or None)
    print(to_json(measured))


@task(
    _("Run all tests: of the engine, of the docs, and of every lab on real hosts."),
    help={"units": _("only what needs no hosts")},
)
def test(context: Context, units: bool = False) -> None:
    for command in (
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "lint-imports",
        "deptry .",
        "mkdocs build --strict --quiet",
        "pytest" + (" -m 'not course'" if units else ""),
    ):
        context.run(f"cd {REPO} && .venv/bin/{command}", echo=True)


@task(_("Bring the catalogs of Chinese messages up to date with the code, and list what has no translation yet."))
def messages(context: Context) -> None:
    from labs.engine.terminal.catalogs import SOURCES, update

    for file, patterns in SOURCES.items():
        for missing in update(file, patterns):
            print(f"{file.relative_to(REPO)}: {missing}")


def _collect() -> Collection:
    lab = (list_labs, up, check, hint, solve, reset, start, break_, repair, status, down)
    root = Collection(doctor, bench, test, messages)
    root.add_collection(Collection("lab", *lab))
    root.add_collection(Collection("host", ssh, reboot))
    root.add_collection(Collection("docs", docs_serve, docs_build))
    root.add_collection(Collection("bundle", bundle_save, bundle_load))
    return root


allow_optional_positionals()
namespace = _collect()
