"""One build: its sources, its result, its log, and the error when it fails."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.engine.errors import LabError
from labs.engine.messages import Message, _
from labs.engine.software.builders.environment import UMASK, build_environment


@dataclass(frozen=True)
class Registry:
    """Where a kind of component comes from, and what happens when it does not answer.

    Attributes:
        unreachable: the error, with the fields {name}, the component, and {line}, the line of the log that shows it
        signs: regular expression for such a line
        advice: what to do about it
    """

    unreachable: Message
    signs: str
    advice: Message

    def error(self, name: str, log: str) -> LabError | None:
        """Return the error when the log shows that the registry did not answer."""
        match = re.search(rf"^(?!\+ ).*({self.signs}).*$", log, re.MULTILINE)
        if not match:
            return None
        message = Message(self.unreachable.template, {"name": name, "line": match.group(0).strip()})
        return LabError("registry-unreachable", message, self.advice)


@dataclass(frozen=True)
class Job:
    """Building one component.

    Attributes:
        name: the component
        repo: the checkout
        source: its folder under vagrant/components
        part: folder to fill
        scratch: folder for caches, kept until all components are built
        log: file with the output of all its programs
    """

    name: str
    repo: Path
    source: Path
    part: Path
    scratch: Path
    log: Path

    def run(
        self,
        command: Sequence[str],
        registry: Registry | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command of the build in its source folder, by default in the environment of builds.

        Raises:
            LabError: it failed.
        """
        with self.log.open("a") as output:
            print("+", *command, file=output, flush=True)
            result = subprocess.run(
                command,
                cwd=self.source,
                env=environment or build_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                umask=UMASK,
                check=False,
            )
        if result.returncode:
            raise self.error(registry)

    def copy_launchers(self) -> None:
        """Copy the component's own bin/ into the result."""
        if (self.source / "bin").is_dir():
            shutil.copytree(self.source / "bin", self.part / "bin", dirs_exist_ok=True)

    def error(self, registry: Registry | None) -> LabError:
        """Return why the build failed, as its log shows it."""
        text = self.log.read_text(errors="replace")
        if "no space left on device" in text.lower():  # all programs use these words, but not the same case
            return LabError(
                "disk-full",
                _("The disk is full: {name} could not be built.", name=self.name),
                _("Free some space, then try again. Components that are built already are kept."),
            )
        unreachable = registry.error(self.name, text) if registry else None
        end = "\n".join(text.strip().splitlines()[-5:])
        return unreachable or LabError(
            "build-failed",
            _("{name} could not be built:\n{output}", name=self.name, output=end),
            _("The complete log is {log}.", log=self.log),
        )
