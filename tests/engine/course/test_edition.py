"""The edition: recipes of vagrant/versions.yml, and everything that may be wrong with them."""

import shutil
from pathlib import Path

import pytest

from labs.engine.course.edition import Edition, load_edition
from labs.engine.errors import LabError

BROKEN = Path(__file__).parent / "broken_editions"
BROKEN_EDITIONS = (
    ("not-closed", ["8: not valid YAML: did not find expected ',' or '}'"]),
    ("number", ["4: 'components.flannel.version': Input should be a valid string"]),
    (
        "several",
        [
            "3: 'components.flannel.version' is missing",
            "4: unknown key 'components.flannel.verson'. Did you mean 'version'?",
            "6: 'components.flannel.output': Input should be a valid string",
            "9: 'images.probe.components': Input should be a valid list",
        ],
    ),
    (
        "unknown-kind",
        [
            "3: 'components.flannel': unknown kind 'goo'; "
            "the kinds are 'go', 'maven', 'maven-repository', 'pip', 'jlink'"
        ],
    ),
    (
        "other-kind",
        ["3: 'components.jre.modules' is missing", "5: unknown key 'components.jre.pakage'. Did you mean 'package'?"],
    ),
    (
        "roles",
        [
            "1: role 'zookeeper': unknown component 'jre'; toolchain: the role 'delivry' provides no packages",
        ],
    ),
    ("no-toolchain", ["1: building jre needs a `toolchain`"]),
    ("unknown-component", ["1: image 'probe': unknown component 'whoami'; every_lab: unknown image 'pause'"]),
)


def test_an_image_is_named_as_pods_name_it(edition: Edition) -> None:
    image = edition.images["probe"]
    assert image.reference == f"harbor.frank.com/public/probe:{image.version}"


def test_roles_provide_components_and_packages(edition: Edition) -> None:
    assert edition.components_with(["etcd", "zookeeper"], ["pause"]) == ["jre", "pause", "zookeeper"]
    assert edition.components_with(["etcd"], ["pause"]) == ["pause"]
    assert "maven" in edition.packages_of(["ops", "delivery"])
    assert edition.packages_of(["ops", "zookeeper"]) == []


def test_an_unknown_component_is_reported(edition: Edition) -> None:
    with pytest.raises(LabError) as raised:
        edition.component("flanel")
    assert str(raised.value.message) == "vagrant/versions.yml has no component 'flanel'."
    assert str(raised.value.hint) == "Add it there, or correct the lab's `needs`."


@pytest.mark.parametrize(("name", "expected"), BROKEN_EDITIONS)
def test_a_broken_edition_is_reported_line_by_line(tmp_path: Path, name: str, expected: list[str]) -> None:
    (tmp_path / "vagrant").mkdir()
    shutil.copy(BROKEN / f"{name}.yml", tmp_path / "vagrant/versions.yml")
    with pytest.raises(LabError) as raised:
        load_edition(tmp_path)
    assert str(raised.value.message).splitlines() == [f"vagrant/versions.yml:{line}" for line in expected]
    assert str(raised.value.hint) == "Correct vagrant/versions.yml and try again."


def test_every_broken_edition_has_its_message() -> None:
    assert {name for name, _ in BROKEN_EDITIONS} == {file.stem for file in BROKEN.glob("*.yml")}
