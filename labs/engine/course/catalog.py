"""What labs there are: reads labs/ID/lab.yml and labs/ID/faults/*.yml, and reports everything wrong at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from labs.engine.course.lab_files import Fault, Lab, LabFile, Needs, find
from labs.engine.course.problems import Problem
from labs.engine.course.topology import Topology, load_topology
from labs.engine.course.yaml_file import YamlFile
from labs.engine.errors import LabError
from labs.engine.messages import _, lines
from labs.engine.nearest import nearest


@dataclass(frozen=True)
class Catalog:
    """All labs, each after those it builds on."""

    labs: dict[str, Lab]

    def lab(self, id: str) -> Lab:
        """Return the lab of that id; LabError suggests the nearest when there is none."""
        return find(self.labs, id, _("lab '{id}'", id=id))

    def needs(self, id: str) -> Needs:
        """Return what a lab and the labs before it need."""
        labs = [*self.before(id), self.lab(id)]
        return Needs(
            components=sorted({name for lab in labs for name in lab.needs.components}),
            images=sorted({name for lab in labs for name in lab.needs.images}),
            roles=sorted({name for lab in labs for name in lab.needs.roles}),
        )

    def before(self, id: str) -> list[Lab]:
        """Return the labs that are already solved when this one starts, in their order."""
        wanted = {id}
        for lab in reversed(self.labs.values()):
            wanted |= set(lab.after) if lab.id in wanted else set()
        return [lab for lab in self.labs.values() if lab.id in wanted - {id}]


@dataclass(frozen=True)
class _Source:
    """A lab as read: its file, the content if that is valid, and its fault files."""

    file: YamlFile
    content: LabFile | None
    faults: list[tuple[YamlFile, Fault | None]]

    @property
    def id(self) -> str:
        return self.file.path.parent.name

    def lab(self) -> Lab:
        assert self.content
        faults = [fault for __, fault in self.faults if fault]
        return Lab(**dict(self.content), faults=faults, path=self.file.path.parent)


def load_catalog(repo: Path, topology: Topology | None = None) -> Catalog:
    """Read every lab; LabError lists every problem of every file.

    Args:
        repo: the checkout
        topology: the hosts, where they are known already
    """
    sources = {path.parent.name: _read(path, repo) for path in sorted(repo.glob("labs/*/lab.yml"))}
    optional = (topology or load_topology(repo)).optional_roles
    for source in sources.values():
        _check_names(source, repo)
        _check_needs(source, optional)
        _check_objectives(source)
        _check_faults(source)
        for place, id in source.file.items(("after",)):
            if str(id) not in sources:
                source.file.problem(place, f"unknown lab '{id}'.{nearest(str(id), sources)}")
    order = _order(sources)
    problems = sorted(_problems(sources.values()))
    if problems:
        raise LabError(
            "course-files",
            _("The files of the labs have errors:\n{problems}", problems=lines(problems)),
            _("Correct these lines and try again."),
        )
    return Catalog({id: sources[id].lab() for id in order})


def _read(path: Path, repo: Path) -> _Source:
    file = YamlFile(path, repo)
    faults = [YamlFile(fault, repo) for fault in sorted(path.parent.glob("faults/*.yml"))]
    return _Source(file, file.read(LabFile), [(fault, fault.read(Fault)) for fault in faults])


def _check_names(source: _Source, repo: Path) -> None:
    """Report the places that a lab must have under its id, and hasn't."""
    if source.content and source.content.id != source.id:
        source.file.problem(("id",), f"the id is '{source.content.id}' but the folder is labs/{source.id}")
    places = [
        f"manifests/{source.id}",
        f"checks/{source.id}",
        f"docs/labs/{source.id}.md",
        f"docs/labs/{source.id}.zh.md",
    ]
    for place in places:
        if not (repo / place).exists():
            source.file.problem(("id",), f"{place} is missing")


def _check_needs(source: _Source, optional: set[str]) -> None:
    for place, role in source.file.items(("needs", "roles")):
        if role not in optional:
            source.file.problem(place, f"no host has the optional role '{role}'.{nearest(str(role), optional)}")


def _check_objectives(source: _Source) -> None:
    earlier: list[str] = []
    for place, __ in source.file.items(("objectives",)):
        name = str(source.file.value((*place, "id")) or "")
        if name and name in earlier:
            source.file.problem((*place, "id"), f"duplicate objective '{name}'")
        for spot, id in source.file.items((*place, "after")):
            if id not in earlier:
                message = f"'{name}' comes after '{id}', but no objective above has that id.{nearest(str(id), earlier)}"
                source.file.problem(spot, message)
        earlier.append(name)


def _check_faults(source: _Source) -> None:
    known = [str(source.file.value((*place, "id"))) for place, __ in source.file.items(("objectives",))]
    for file, fault in source.faults:
        if fault and fault.id != file.path.stem:
            file.problem(("id",), f"the id is '{fault.id}' but the file is {file.path.name}")
        for place, id in file.items(("fails",)):
            if known and id not in known:
                file.problem(place, f"unknown objective '{id}'.{nearest(str(id), known)}")


def _order(sources: dict[str, _Source]) -> list[str]:
    graph = {
        id: [str(other) for __, other in source.file.items(("after",)) if str(other) in sources]
        for id, source in sources.items()
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = error.args[1]
        sources[cycle[0]].file.problem(("after",), f"the labs depend on each other: {' → '.join(cycle)}")
        return []


def _problems(sources: Iterable[_Source]) -> Iterator[Problem]:
    for source in sources:
        yield from source.file.problems
        for file, __ in source.faults:
            yield from file.problems
