"""The course as its repository has it: labs, hosts, versions, pages. It never changes, so sessions share it."""

from dataclasses import dataclass
from pathlib import Path

from labs.engine.course.catalog import Catalog, load_catalog
from labs.engine.course.edition import Edition, load_edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.steps import Step, parse_steps
from labs.engine.course.topology import Topology, load_topology
from labs.engine.errors import LabError
from labs.engine.messages import _


@dataclass(frozen=True)
class Course:
    """Everything that is the same for every session."""

    repo: Path
    catalog: Catalog
    topology: Topology
    edition: Edition

    def needs(self, id: str) -> Needs:
        """Return what the hosts of a lab are made from: what it and earlier labs need, and what every lab needs."""
        needs, base = self.catalog.needs(id), self.edition.every_lab
        return Needs(
            components=sorted({*needs.components, *base.components}),
            images=sorted({*needs.images, *base.images}),
            roles=needs.roles,
        )

    def steps(self, id: str, until: int | None = None) -> list[Step]:
        """Return the documented steps of a lab, up to and including number `until`.

        Raises:
            LabError: there is no such lab or step, or the page has a step that can't be run.
        """
        page = self.repo / "docs" / "labs" / f"{self.catalog.lab(id).id}.md"
        steps = parse_steps(page, self.topology.names, self.repo / "manifests")
        if until is not None and not 1 <= until <= len(steps):
            raise LabError(
                "unknown-name",
                _("'{id}' has steps 1 to {last}, not {until}.", id=id, last=len(steps), until=until),
                _("`invoke lab.solve {id} --dry-run` lists them.", id=id),
            )
        return steps[:until]


def load_course(repo: Path) -> Course:
    """Read the course; LabError lists every problem with file and line."""
    topology = load_topology(repo)
    return Course(repo, load_catalog(repo, topology), topology, load_edition(repo))
