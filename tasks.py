"""The course's tasks: `invoke --list` names them, `invoke --help TASK` explains one; labs/engine does them."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from rich.console import Console

from labs.engine.bench import run_bench
from labs.engine.doctor import examine
from labs.engine.errors import LabError
from labs.engine.language import language
from labs.engine.session import Course
from labs.engine.software.bundle import load_bundle, save_bundle
from labs.engine.terminal import show
from labs.engine.terminal.cli import accept_absent_words, task, whole_number
from labs.engine.terminal.progress import progress
from labs.engine.terminal.report import render, to_json
from labs.engine.workspace import cache_dir

REPO = Path(__file__).resolve().parent
LANG = language(os.environ)
OUT = Console()


@contextmanager
def course() -> Iterator[Course]:
    """The course, with progress on standard error."""
    with progress() as tasks:
        yield Course(REPO, tasks)


@task(name="list")
def list_labs(_: Context, json: bool = False) -> None:
    """List the labs: minutes, points, what each builds on, and which one is up."""
    with course() as it:
        show.labs(it, OUT, LANG, as_json=json)


@task(
    help={
        "id": "the lab, see lab.list",
        "switch": "leave the lab that is up",
        "provider": "docker, virtualbox or libvirt",
        "internet": "let the hosts reach the internet",
    }
)
def up(_: Context, id: str, switch: bool = False, provider: str | None = None, internet: bool = False) -> None:
    """Bring up the hosts at the starting state of a lab (the labs it builds on are solved)."""
    with course() as it:
        it.up(id, switch=switch, provider=provider, internet=internet)
        show.summary(it, id, OUT, LANG)


@task(
    words=["id"],
    help={
        "id": "the lab, by default the one that is up",
        "all": "grade the labs it builds on as well",
        "only": "grade this objective only (may be repeated)",
        "watch": "grade again until all pass",
        "json": "print the report as JSON",
        "junit": "write a JUnit file",
    },
    iterable=["only"],
)
def check(
    _: Context,
    only: list[str],
    id: str = "",
    all: bool = False,
    watch: bool = False,
    json: bool = False,
    junit: str | None = None,
) -> None:
    """Grade your cluster. Exit status: 0 all passed, 1 not yet, 2 the grader or the hosts have a problem."""
    with course() as it:
        if all and (id or only or junit):
            raise LabError("--all grades every lab that is up: it goes with no ID, --only or --junit.")
        labs = [id] if id else [lab.id for lab in it.labs_up()]
        if not all:
            labs = labs[-1:]
        reports = [it.check(lab, LANG, only, Path(junit) if junit else None) for lab in labs]
        while True:
            if json:
                print(to_json(reports if all else reports[0]), flush=True)
            else:
                render(reports, OUT, LANG)
            if not watch or not any(report.open for report in reports):
                break
            time.sleep(2)  # between two gradings, so that watching costs the cluster little
            reports = [one.updated(it.check(one.lab, LANG, one.open)) if one.open else one for one in reports]
    code = max(report.exit_code for report in reports)
    if code:
        raise Exit(code=code)


@task(
    words=["id", "objective"],
    help={"id": "the lab", "objective": "the objective, by default the first one not passed"},
)
def hint(_: Context, id: str, objective: str = "") -> None:
    """Show the next hint; each call goes one step further."""
    with course() as it:
        OUT.print(it.hint(id, LANG, objective or None), highlight=False, markup=False, soft_wrap=True)


@task(help={"id": "the lab", "until": "stop after the step of this number", "dry_run": "only list the steps"})
def solve(_: Context, id: str, until: str | None = None, dry_run: bool = False) -> None:
    """Run the steps of the lab's page on the hosts."""
    last = whole_number(until) if until is not None else None
    with course() as it:
        if dry_run:
            show.steps(it.steps(id, last), OUT)
        else:
            it.solve(id, last)


@task(words=["id"], help={"id": "the lab, by default the one that is up"})
def reset(_: Context, id: str = "") -> None:
    """Bring the hosts back to the lab's starting state, whatever was done to them."""
    with course() as it:
        show.summary(it, it.reset(id or None), OUT, LANG)


@task(
    name="break",
    words=["id", "fault"],
    help={"id": "the lab", "fault": "which fault; without it, the first one", "list": "only list the faults"},
)
def break_(_: Context, id: str, fault: str = "", list: bool = False) -> None:
    """Break a solved lab by a documented fault, to practise finding it."""
    with course() as it:
        if list:
            show.faults(it.catalog.lab(id), OUT, LANG)
        else:
            OUT.print(it.plant(id, fault or None).title.of(LANG), highlight=False)


@task(
    words=["id", "fault"],
    help={"id": "the lab", "fault": "which fault; without it, the one planted last"},
)
def repair(_: Context, id: str, fault: str = "") -> None:
    """Put right what lab.break broke, and show how: the drill's solution."""
    with course() as it:
        show.repaired(it.repair(id, fault or None), OUT, LANG)


@task(help={"json": "print the status as JSON"})
def status(_: Context, json: bool = False) -> None:
    """Show hosts, services, cluster, addresses, disk and memory."""
    with course() as it:
        show.status(it.status(), OUT, as_json=json)


@task(help={"purge": "remove the cache and the images as well: all that was built is built again next time"})
def down(_: Context, purge: bool = False) -> None:
    """Remove the hosts and everything made for them."""
    with course() as it:
        it.down()
        if purge:
            it.purge()


@task(help={"name": "the host, such as f0-13"})
def ssh(_: Context, name: str) -> None:
    """Open a shell on a host."""
    with course() as it:
        code = it.shell(name)
    raise Exit(code=code)


@task(help={"name": "the host, such as f0-14"})
def reboot(_: Context, name: str) -> None:
    """Turn a host off and on again, and wait until it is back."""
    with course() as it:
        it.reboot(name)


@task(name="serve", help={"port": "port on loopback"})
def docs_serve(c: Context, port: str = "8000") -> None:
    """Show the study site at http://127.0.0.1:8000 and follow changes."""
    address = f"127.0.0.1:{whole_number(port)}"
    c.run(f"{REPO}/.venv/bin/mkdocs serve --config-file {REPO}/mkdocs.yml --dev-addr {address}", pty=True)


@task(name="build")
def docs_build(c: Context) -> None:
    """Build the study site into site/, strictly: a broken link is an error."""
    c.run(f"{REPO}/.venv/bin/mkdocs build --strict --quiet --config-file {REPO}/mkdocs.yml")


@task(name="save", help={"file": "where to write the bundle (.tar)"})
def bundle_save(_: Context, file: str = "f0-labs-bundle.tar") -> None:
    """Write all that a machine without network needs into one file."""
    with progress() as tasks:
        size = save_bundle(REPO, cache_dir(), Path(file), tasks)
    OUT.print(f"{file}: {size >> 20} MiB. On the other machine: invoke bundle.load {file}", highlight=False)


@task(name="load", help={"file": "the bundle"})
def bundle_load(_: Context, file: str) -> None:
    """Fill the cache from a bundle."""
    with progress() as tasks:
        load_bundle(REPO, cache_dir(), Path(file), tasks)


@task(help={"json": "print the findings as JSON"})
def doctor(_: Context, json: bool = False) -> None:
    """Tell what this machine can and can't do for the course, and what to do about it."""
    findings = examine(REPO)
    show.findings(findings, OUT, as_json=json)
    if not all(finding.ok for finding in findings):
        raise Exit(code=2)


@task(words=["id"], help={"id": "the lab to measure, by default each"})
def bench(_: Context, id: str = "") -> None:
    """Measure up, reset, check, solve, memory and sizes, and the floor they stand on, as JSON."""
    with progress() as tasks:
        print(json.dumps(run_bench(REPO, id or None, tasks), indent=2))


@task(help={"units": "only what needs no hosts"})
def test(c: Context, units: bool = False) -> None:
    """Run all tests: of the engine, of the docs, and of every lab on real hosts."""
    for command in ("ruff check .", "ruff format --check .", "mypy", "mkdocs build --strict --quiet"):
        c.run(f"cd {REPO} && .venv/bin/{command}", echo=True)
    c.run(f"cd {REPO} && .venv/bin/pytest" + (" -m 'not course'" if units else ""), echo=True)


def _collect() -> Collection:
    root = Collection(doctor, bench, test)
    root.add_collection(Collection("lab", list_labs, up, check, hint, solve, reset, break_, repair, status, down))
    root.add_collection(Collection("host", ssh, reboot))
    root.add_collection(Collection("docs", docs_serve, docs_build))
    root.add_collection(Collection("bundle", bundle_save, bundle_load))
    return root


accept_absent_words()
namespace = _collect()
