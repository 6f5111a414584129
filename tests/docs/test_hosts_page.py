"""docs/reference/hosts.md against what makes the hosts: versions, roles, certificates."""

import re

import pytest
import yaml

from labs.engine.course.edition import GoComponent, load_edition
from labs.engine.course.topology import load_topology
from tests.docs.pages import REPO, SUFFIXES, page, tables

EDITION, TOPOLOGY = load_edition(REPO), load_topology(REPO)
PROGRAMS = {name: part for name, part in EDITION.components.items() if isinstance(part, GoComponent)}
ROLES = sorted(path.name for path in REPO.glob("vagrant/roles/*"))
CERTIFICATES = yaml.safe_load((REPO / "vagrant/certificates.yml").read_text())["certificates"]


def _rows(lang: str, columns: int) -> dict[str, list[str]]:
    """The rows of all tables with so many columns by their first cell: a component and a role may share a name."""
    found = tables(page("reference/hosts", lang).read_text())
    return {row[0].strip("`"): row[1:] for table in found for row in table if len(row) == columns}


def _hosts(role: str) -> list[str]:
    return [host.name for host in TOPOLOGY.with_optional_roles(TOPOLOGY.optional_roles).all_with_role(role)]


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("name", EDITION.components)
def test_a_component_is_there_with_its_version_and_its_folder(name: str, lang: str) -> None:
    version, programs = _rows(lang, 3)[name]
    assert version == EDITION.components[name].version
    assert f"`/opt/{name}/" in programs


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_all_names_of_a_program_are_there(name: str, lang: str) -> None:
    program = PROGRAMS[name]
    assert {program.output or "", *program.links} <= {*re.findall(r"[\w-]+", _rows(lang, 3)[name][1]), ""}


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_there_with_the_units_it_enables(role: str, lang: str) -> None:
    wanted = (REPO / "vagrant/roles" / role / "etc/systemd/system/lab.target.wants").glob("*")
    assert set(re.findall(r"`([^`]+)`", _rows(lang, 5)[role][1])) == {
        unit.name.removesuffix(".service") for unit in wanted
    }


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("role", [role for role in ROLES if role != "base"])
def test_a_role_is_there_with_its_hosts(role: str, lang: str) -> None:
    assert re.findall(r"f0-\d+", _rows(lang, 5)[role][0]) == _hosts(role)


@pytest.mark.parametrize("lang", SUFFIXES)
@pytest.mark.parametrize("certificate", CERTIFICATES, ids=lambda certificate: str(certificate["path"]))
def test_a_certificate_is_there_with_the_hosts_that_have_its_key(certificate: dict[str, str], lang: str) -> None:
    assert re.findall(r"f0-\d+", _rows(lang, 4)[f"{certificate['path']}.pem"][0]) == _hosts(certificate["role"])


@pytest.mark.parametrize("lang", SUFFIXES)
def test_a_host_is_there_with_its_name_in_the_original_course(lang: str) -> None:
    table = tables(page("reference/hosts", lang).read_text())[0]
    assert [(row[0], row[2]) for row in table] == [(host.name, host.original) for host in TOPOLOGY.hosts]


@pytest.mark.parametrize("lang", SUFFIXES)
def test_flanneld_uses_the_interface_of_the_lab_network(lang: str) -> None:
    assert f"--iface={TOPOLOGY.interface} " in page("labs/flannel", lang).read_text().replace("`", " ")
