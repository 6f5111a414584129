"""One build: where it takes from, where it puts, where it logs, and what is told when it fails."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.engine.errors import LabError


@dataclass(frozen=True)
class Registry:
    """Where a kind of component comes from: what its client says when it does not answer, and what to do then."""

    could_not: str
    signs: str
    advice: str

    def trouble(self, name: str, log: str) -> LabError | None:
        """The error to tell when the log says that the registry did not answer."""
        found = re.search(rf"^.*({self.signs}).*$", log, re.M)
        return LabError(f"{self.could_not} {name}: {found.group(0).strip()}", self.advice) if found else None


@dataclass(frozen=True)
class Job:
    """Building one component.

    `source` is its folder under vagrant/components, `part` is to be filled, and `scratch` is kept until all is built.
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
        registry: Registry,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command of the build, its output appended to the log; LabError, with the reason, when it fails."""
        with self.log.open("a") as output:
            print("+", *command, file=output, flush=True)
            result = subprocess.run(
                command,
                cwd=folder or self.source,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        if result.returncode:
            raise self._error(registry)

    def copy_starters(self) -> None:
        """Put the component's own bin/ beside what was built."""
        if (self.source / "bin").is_dir():
            shutil.copytree(self.source / "bin", self.part / "bin", dirs_exist_ok=True)

    def _error(self, registry: Registry) -> LabError:
        text = self.log.read_text(errors="replace")
        if "no space left on device" in text.lower():  # in these words by all, if not in this case
            return LabError(
                f"The disk is full: {self.name} could not be built.",
                "Free some space and try again: what is built stays.",
            )
        last = "\n".join(text.strip().splitlines()[-5:])
        return registry.trouble(self.name, text) or LabError(
            f"{self.name} could not be built:\n{last}", f"The whole log is {self.log}."
        )
