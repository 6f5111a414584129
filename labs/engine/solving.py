"""Runs documented steps on the hosts, in order, the hosts of one step side by side."""

from collections.abc import Sequence

from labs.engine.course.steps import Step
from labs.engine.errors import LabError
from labs.engine.events import Events
from labs.engine.hosts.remote import Remote
from labs.engine.messages import Message, _, verbatim

STEP_SECONDS = 300.0


def title(step: Step) -> Message:
    """Return a line that says what a step does and where."""
    hosts = ", ".join(step.hosts)
    if step.path:
        return _("{number}. {hosts}: writes {path}", number=step.number, hosts=hosts, path=step.path)
    return verbatim(f"{step.number}. {hosts}: {step.body.strip().splitlines()[0]}")


def run_steps(steps: Sequence[Step], remote: Remote, events: Events) -> None:
    """Run steps until all are done.

    Raises:
        LabError: at the first step that fails: its number and line, the host, what ran there and what it printed.
    """
    for step in steps:
        with events.task(title(step)):
            if step.path:
                results = remote.write(step.hosts, step.path, step.body)
            else:
                results = remote.run_everywhere(step.hosts, step.body, STEP_SECONDS)
            for result in results:
                if result.status:
                    raise LabError(
                        "step-failed",
                        _(
                            "Step {number} (line {line} of the page) failed on {host} with exit status {status}.\n"
                            "It ran:\n{script}\nIt printed:\n{output}",
                            number=step.number,
                            line=step.line,
                            host=result.host,
                            status=result.status,
                            script=step.body.rstrip(),
                            output=result.output.strip() or _("nothing"),
                        ),
                        _("Look at the host: invoke host.ssh {host}", host=result.host),
                    )
