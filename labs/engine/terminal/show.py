"""What tasks print: tables for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labs.engine.course.catalog import Fault, Lab
from labs.engine.course.steps import Step
from labs.engine.doctor import Finding
from labs.engine.hosts.status import Status
from labs.engine.language import say
from labs.engine.session import Course
from labs.engine.solving import title


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header)
    return table


def labs(course: Course, console: Console, lang: str, *, as_json: bool) -> None:
    """List the labs."""
    running = course.running
    rows: list[dict[str, Any]] = [
        {
            "id": lab.id,
            "title": lab.title.of(lang),
            "minutes": lab.minutes,
            "points": lab.max_points,
            "after": lab.after,
            "up": lab.id == running,
        }
        for lab in course.catalog.labs.values()
    ]
    if as_json:
        console.print_json(json.dumps(rows, ensure_ascii=False))
        return
    table = _table("Lab", "", "Minutes", "Points", "After", "")
    for row in rows:
        after, up = ", ".join(row["after"]) or "–", "[green]up[/]" if row["up"] else ""
        table.add_row(row["id"], row["title"], str(row["minutes"]), str(row["points"]), after, up)
    console.print(table)


def summary(course: Course, id: str, console: Console, lang: str) -> None:
    """Say what is up, what to read, and what to do next."""
    lab, root, topology = course.catalog.lab(id), course.workspace.root, course.topology
    page = f"docs/labs/{id}.zh.md" if lang == "zh" else f"docs/labs/{id}.md"
    console.print(f"\n[bold]{escape(lab.title.of(lang))}[/]  {escape(lab.summary.of(lang))}", highlight=False)
    hosts = ", ".join(f"{host.name} {topology.address(host.name)}" for host in topology.hosts)
    words = {"id": id, "hosts": hosts, "page": page, "root": root, "minutes": lab.minutes}
    console.print(escape(say("summary", lang, **words)), highlight=False, soft_wrap=True)
    pages = course.pages(id)
    if pages:
        console.print(escape(say("pages", lang, pages=" ".join(pages))), highlight=False, soft_wrap=True)


def steps(listed: Sequence[Step], console: Console) -> None:
    """List the steps of a page."""
    section = ""
    for step in listed:
        if step.section != section:
            section = step.section
            console.print(f"\n[bold]{escape(section)}[/]", highlight=False)
        console.print(f"  {escape(title(step))}", highlight=False, soft_wrap=True)


def faults(lab: Lab, console: Console, lang: str) -> None:
    """List the faults of a lab."""
    table = _table("Fault", "")
    for fault in lab.faults:
        table.add_row(fault.id, fault.title.of(lang))
    console.print(table)


def repaired(fault: Fault, console: Console, lang: str) -> None:
    """Tell how a fault was put right: the drill's solution."""
    console.print(escape(fault.title.of(lang)), highlight=False)
    for command in fault.repair:
        console.print(f"\n[bold]{', '.join(command.hosts)}[/]", highlight=False)
        console.print(escape(command.run.rstrip()), highlight=False, soft_wrap=True)


def status(status: Status, console: Console, *, as_json: bool) -> None:
    """Show the state of everything."""
    if as_json:
        console.print_json(json.dumps(status.to_dict()))
        return
    table = _table("Host", "Address", "SSH", "State", "Services", "Failed", "Memory")
    for host in status.hosts:
        ssh = f"127.0.0.1:{host.ssh_port}" if host.ssh_port else "–"
        memory = f"{host.memory_mib} MiB" if host.memory_mib is not None else "–"
        table.add_row(
            host.name, host.address, ssh, host.state, host.services, ", ".join(host.failed_units) or "–", memory
        )
    console.print(f"Lab: {status.lab or '–'} ({status.phase})", highlight=False)
    console.print(table)
    nodes = "its API does not answer" if status.nodes is None else f"nodes ready: {', '.join(status.nodes)}"
    used = sum(host.memory_mib or 0 for host in status.hosts)
    console.print(f"Cluster: {nodes}. Memory: {used} MiB. Disk: {status.cache_free_gib} GiB free.", highlight=False)
    for page in status.pages:
        console.print(f"Page: {page}", highlight=False, soft_wrap=True)


def findings(found: Sequence[Finding], console: Console, *, as_json: bool) -> None:
    """Show what the doctor found."""
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in found]))
        return
    for finding in found:
        mark = "[green]✔[/]" if finding.ok else "[red]✘[/]"
        console.print(f"{mark} {finding.name}: {escape(finding.found)}", highlight=False, soft_wrap=True)
        if finding.advice:
            console.print(f"    {escape(finding.advice)}", highlight=False, soft_wrap=True)
