"""Runs documented steps on the hosts, in order, the hosts of one step side by side."""

from collections.abc import Sequence

from labs.engine.course.steps import Step
from labs.engine.errors import LabError
from labs.engine.hosts.remote import Remote
from labs.engine.terminal.progress import Tasks

STEP_SECONDS = 300.0


def title(step: Step) -> str:
    """Return a line that says what a step does and where."""
    what = f"writes {step.path}" if step.path else step.body.strip().splitlines()[0]
    return f"{step.number}. {', '.join(step.hosts)}: {what}"


def run_steps(steps: Sequence[Step], remote: Remote, tasks: Tasks) -> None:
    """Run steps until all are done.

    Raises:
        LabError: at the first step that fails: its number and line, the host, what ran there and what it said.
    """
    for step in steps:
        with tasks.task(title(step)):
            if step.path:
                outcomes = remote.write(step.hosts, step.path, step.body)
            else:
                outcomes = remote.run_everywhere(step.hosts, step.body, STEP_SECONDS)
            for outcome in outcomes:
                if outcome.status:
                    raise LabError(
                        f"Step {step.number} (line {step.line} of the page) failed on {outcome.host}: "
                        f"exit status {outcome.status}.\n"
                        f"It ran:\n{step.body.rstrip()}\nIt said:\n{outcome.output.strip() or 'nothing'}",
                        f"Look at the host: invoke host.ssh {outcome.host}",
                    )
