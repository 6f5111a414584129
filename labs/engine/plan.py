"""What the hosts of a lab are made from, computed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labs.engine.course.course import Course
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology
from labs.engine.software.software import Software


@dataclass(frozen=True)
class Plan:
    """The hosts of one lab.

    Attributes:
        lab: the lab's id
        needs: what the lab and those before it need
        topology: the hosts, in the lab network, with the roles that the lab needs
        images: each host's image
        archives: the container images that hosts start with: name → file in the cache
    """

    lab: str
    needs: Needs
    topology: Topology
    images: Mapping[str, str]
    archives: Mapping[str, Path]


def make_plan(course: Course, software: Software, lab: str, network: str | None = None) -> Plan:
    """Return the plan of a lab's hosts; `network` replaces the course's lab network.

    Raises:
        LabError: there is no such lab, or the network can't be used.
    """
    needs = course.needs(lab)
    topology = course.topology.in_network(network).with_optional_roles(needs.roles)
    return Plan(lab, needs, topology, software.host_images(needs, topology), software.archives([needs]))
