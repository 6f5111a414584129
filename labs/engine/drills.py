"""Drills: a documented fault is planted in a solved lab, and repaired again."""

from collections.abc import Sequence

from labs.engine.context import Context
from labs.engine.course.lab_files import Command, Fault, Lab
from labs.engine.errors import LabError
from labs.engine.hosts.remote import Remote
from labs.engine.messages import Message, _


def plant(context: Context, lab: Lab, id: str | None) -> Fault:
    """Break a solved lab by a fault, by default the first; return it. It counts as planted also when that fails.

    Raises:
        LabError: the lab has no such fault, or a command of it failed.
    """
    if not lab.faults:
        raise LabError("nothing-to-do", _("The lab '{id}' has no faults to plant.", id=lab.id))
    fault = lab.fault(id) if id else lab.faults[0]
    _record(context, lab, [*_planted(context, lab), fault.id])
    context.record.event("planted", lab.id, fault.id)
    with context.remote() as remote, context.events.task(_("Breaking something")):
        failure = _("The fault '{fault}' could not be planted", fault=fault.id)
        run(fault.commands, remote, failure, _("Faults are made for a solved lab: invoke lab.solve {id}", id=lab.id))
    return fault


def repair(context: Context, lab: Lab, id: str | None) -> Fault:
    """Repair a fault, by default the one planted last; return it.

    Raises:
        LabError: none is planted, or a command of the repair failed.
    """
    planted = _planted(context, lab)
    if not planted and not id:
        raise LabError(
            "nothing-to-do",
            _("No fault is planted in the lab '{id}'.", id=lab.id),
            _("To plant one: invoke lab.break {id}", id=lab.id),
        )
    fault = lab.fault(id or planted[-1])
    with context.remote() as remote, context.events.task(_("Repairing it")):
        failure = _("The fault '{fault}' could not be repaired", fault=fault.id)
        run(fault.repair, remote, failure, _("`invoke lab.reset` makes fresh hosts."))
    _record(context, lab, [other for other in planted if other != fault.id])
    context.record.event("repaired", lab.id, fault.id)
    return fault


def run(commands: Sequence[Command], remote: Remote, failure: Message, advice: Message) -> None:
    """Run a fault's commands in order; LabError with host, output and `advice` at the first that fails."""
    for command in commands:
        for result in remote.run_everywhere(command.hosts, command.run):
            if result.status:
                raise LabError(
                    "fault-failed",
                    _(
                        "{failure} on {host}:\n{output}",
                        failure=failure,
                        host=result.host,
                        output=result.output.strip(),
                    ),
                    advice,
                )


def _planted(context: Context, lab: Lab) -> list[str]:
    return context.require_state().planted.get(lab.id, [])


def _record(context: Context, lab: Lab, faults: Sequence[str]) -> None:
    with context.workspace.changing() as state:
        state.planted = {**state.planted, lab.id: list(faults)}
