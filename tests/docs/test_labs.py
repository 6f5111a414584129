"""Each lab's pages against its lab.yml, its faults and the other language."""

import re

import pytest

from labs.engine.course.catalog import load_catalog
from labs.engine.course.fences import fences
from labs.engine.course.steps import parse_steps
from labs.engine.course.topology import load_topology
from tests.docs.pages import REPO, SUFFIXES, page

CATALOG = load_catalog(REPO)


def _rows(lab: str, lang: str) -> dict[str, str]:
    """The rows of all tables of a lab's page whose first cell is an id."""
    return dict(re.findall(r"^\| `([a-z0-9-]+)` (\|.*)$", page(f"labs/{lab}", lang).read_text(), re.M))


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("lab", CATALOG.labs)
def test_every_objective_is_on_the_page_with_its_points(lab: str, lang: str) -> None:
    rows = _rows(lab, lang)
    points = {one.id: str(one.points) for one in CATALOG.lab(lab).objectives}
    assert {id: rows.get(id, "").split(" | ")[1:2] for id in points} == {id: [worth] for id, worth in points.items()}


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("lab", CATALOG.labs)
def test_every_fault_is_on_the_page(lab: str, lang: str) -> None:
    assert {fault.id for fault in CATALOG.lab(lab).faults} <= set(_rows(lab, lang))


@pytest.mark.parametrize("lab", CATALOG.labs)
def test_both_languages_have_the_same_fenced_blocks(lab: str) -> None:
    assert fences(page(f"labs/{lab}", "zh")) == fences(page(f"labs/{lab}", "en"))


@pytest.mark.parametrize("lab", CATALOG.labs)
def test_steps_name_hosts_and_not_their_addresses(lab: str) -> None:
    topology = load_topology(REPO)
    steps = parse_steps(page(f"labs/{lab}", "en"), topology.names, REPO / "manifests")
    assert [step.number for step in steps if "192.168.56." in f"{step.path} {step.body}"] == []
