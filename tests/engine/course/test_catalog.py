"""The catalog: what lab.yml and fault files say, and everything that is wrong with them at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.engine.course.catalog import load_catalog
from labs.engine.course.lab_files import Needs
from labs.engine.errors import LabError
from tests.engine.conftest import REPO

BROKEN = Path(__file__).parent / "broken_labs"
HEAD = "The files of the labs have errors:"

LAB = """\
id: {id}
title: {{en: The {id} lab, zh: 实验 {id}}}
summary: {{en: A lab., zh: 一个实验。}}
minutes: 5
after: [{after}]
needs: {{components: [flanneld]}}
objectives:
  - id: first
    title: {{en: First, zh: 第一}}
    points: 40
    hints: [{{en: Look., zh: 看。}}]
  - id: second
    title: {{en: Second, zh: 第二}}
    points: 60
    after: [first]
    wait: 5
    hints: [{{en: Look., zh: 看。}}]
"""
FAULT = """\
id: {id}
title: {{en: A fault, zh: 故障}}
commands:
  - hosts: [f0-13]
    run: systemctl stop flanneld
repair:
  - hosts: [f0-13]
    run: systemctl start flanneld
fails: [{fails}]
"""
BROKEN_LABS = (
    ("a-list", ["1: must be a mapping of keys to values"]),
    ("after-itself", ["5: the labs depend on each other: demo → demo"]),
    ("bad-id", ["11: 'objectives.1.id': String should match pattern '^[a-z0-9]+(-[a-z0-9]+)*$'"]),
    ("empty", ["1: must be a mapping of keys to values"]),
    ("later-after", ["10: 'first' comes after 'second', but no objective above has that id."]),
    (
        "misspelt-key",
        [
            "7: 'objectives.0.points' is missing",
            "9: unknown key 'objectives.0.ponts'. Did you mean 'points'?",
        ],
    ),
    ("no-hints", ["10: 'objectives.0.hints': List should have at least 1 item after validation, not 0"]),
    ("no-points", ["9: 'objectives.0.points': Input should be greater than 0"]),
    ("not-closed", ["6: not valid YAML: did not find expected ',' or '}'"]),
    ("one-language", ["12: 'objectives.1.title.zh' is missing"]),
    ("other-id", ["1: the id is 'demos' but the folder is labs/demo"]),
    ("same-key-twice", ["5: duplicate key 'minutes'"]),
    ("same-objective-twice", ["11: duplicate objective 'first'"]),
    (
        "several",
        [
            "4: 'minutes': Input should be greater than 0",
            "11: duplicate objective 'first'",
            "14: 'first' comes after 'nobody', but no objective above has that id.",
        ],
    ),
    ("tab", ["5: not valid YAML: found character that cannot start any token"]),
    (
        "unknown-after",
        ["14: 'second' comes after 'frist', but no objective above has that id. Did you mean 'first'?"],
    ),
    ("unknown-lab", ["5: unknown lab 'flanel'. Did you mean 'flannel'?"]),
    (
        "wrong-types",
        [
            "4: 'minutes': Input should be a valid integer",
            "13: 'objectives.1.points': Input should be a valid integer",
        ],
    ),
)
AddLab = Callable[..., Path]


@pytest.fixture
def add_lab(tmp_path: Path) -> AddLab:
    (tmp_path / "vagrant").symlink_to(REPO / "vagrant")

    def add(id: str = "demo", after: str = "", text: str = LAB) -> Path:
        (tmp_path / f"labs/{id}/faults").mkdir(parents=True)
        (tmp_path / f"manifests/{id}").mkdir(parents=True)
        (tmp_path / f"checks/{id}").mkdir(parents=True)
        (tmp_path / "docs/labs").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"docs/labs/{id}.md").touch()
        (tmp_path / f"docs/labs/{id}.zh.md").touch()
        file = tmp_path / "labs" / id / "lab.yml"
        file.write_text(text.format(id=id, after=after), encoding="utf-8")
        return file

    return add


def problems(repo: Path) -> list[str]:
    with pytest.raises(LabError) as raised:
        load_catalog(repo)
    head, *listed = str(raised.value.message).splitlines()
    assert head == HEAD
    return listed


def test_a_lab_is_read_whole(add_lab: AddLab, tmp_path: Path) -> None:
    file = add_lab()
    (file.parent / "faults/stopped.yml").write_text(FAULT.format(id="stopped", fails="second"), encoding="utf-8")
    lab = load_catalog(tmp_path).lab("demo")
    assert (lab.max_points, lab.path, lab.needs.components) == (100, file.parent, ["flanneld"])
    assert (lab.objective("second").after, lab.objective("second").wait) == (["first"], 5)
    assert (lab.fault("stopped").fails, lab.fault("stopped").commands[0].hosts) == (["second"], ["f0-13"])


def test_texts_exist_in_both_languages(add_lab: AddLab, tmp_path: Path) -> None:
    add_lab()
    title = load_catalog(tmp_path).lab("demo").title
    assert (title.of("en"), title.of("zh"), title.of("fr")) == ("The demo lab", "实验 demo", "The demo lab")


def test_labs_come_after_those_they_build_on(add_lab: AddLab, tmp_path: Path) -> None:
    add_lab("alpha", after="beta")
    add_lab("beta", after="gamma")
    add_lab("gamma")
    catalog = load_catalog(tmp_path)
    assert list(catalog.labs) == ["gamma", "beta", "alpha"]
    assert [lab.id for lab in catalog.before("alpha")] == ["gamma", "beta"]
    assert catalog.before("gamma") == []


def test_a_lab_needs_what_the_labs_before_it_need(add_lab: AddLab, tmp_path: Path) -> None:
    needs = {"beta": "components: [flanneld, cni], images: [nginx]", "gamma": "components: [coredns, cni]"}
    for id, after in (("alpha", ""), ("beta", ""), ("gamma", "beta")):
        file = add_lab(id, after=after)
        file.write_text(file.read_text().replace("components: [flanneld]", needs.get(id, "components: []")))
    catalog = load_catalog(tmp_path)
    assert catalog.needs("gamma") == Needs(components=["cni", "coredns", "flanneld"], images=["nginx"])
    assert catalog.needs("beta").components == ["cni", "flanneld"]
    assert catalog.needs("alpha") == Needs(components=[])


def test_a_lab_needs_the_roles_of_the_labs_before_it(add_lab: AddLab, tmp_path: Path) -> None:
    for id, after, roles in (("alpha", "", "delivery"), ("beta", "alpha", "zookeeper, delivery"), ("gamma", "", "")):
        file = add_lab(id, after=after)
        file.write_text(file.read_text().replace("[flanneld]}", f"[flanneld], roles: [{roles}]}}"))
    catalog = load_catalog(tmp_path)
    assert [catalog.needs(id).roles for id in ("alpha", "beta", "gamma")] == [
        ["delivery"],
        ["delivery", "zookeeper"],
        [],
    ]


def test_a_role_that_no_host_has_as_optional_is_reported(add_lab: AddLab, tmp_path: Path) -> None:
    file = add_lab()
    file.write_text(file.read_text().replace("[flanneld]}", "[flanneld], roles: [delivery, zokeeper, etcd]}"))
    assert problems(tmp_path) == [
        "labs/demo/lab.yml:6: no host has the optional role 'etcd'.",
        "labs/demo/lab.yml:6: no host has the optional role 'zokeeper'. Did you mean 'zookeeper'?",
    ]


def test_the_needs_of_an_unknown_lab_are_refused(add_lab: AddLab, tmp_path: Path) -> None:
    add_lab()
    with pytest.raises(LabError, match=r"^There is no lab 'dmo'\. Did you mean 'demo'\?$"):
        load_catalog(tmp_path).needs("dmo")


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("flanel", "There is no lab 'flanel'. Did you mean 'flannel'?"),
        ("zzz", "There is no lab 'zzz'."),
    ],
)
def test_an_unknown_lab_suggests_the_nearest(add_lab: AddLab, tmp_path: Path, id: str, message: str) -> None:
    add_lab("coredns")
    add_lab("flannel")
    with pytest.raises(LabError) as raised:
        load_catalog(tmp_path).lab(id)
    assert (str(raised.value.message), str(raised.value.hint)) == (message, "Available: coredns, flannel.")


@pytest.mark.parametrize(("name", "expected"), BROKEN_LABS)
def test_a_broken_lab_is_reported_line_by_line(add_lab: AddLab, tmp_path: Path, name: str, expected: list[str]) -> None:
    add_lab("flannel")
    shutil.copy(BROKEN / f"{name}.yml", add_lab("demo"))
    assert problems(tmp_path) == [f"labs/demo/lab.yml:{line}" for line in expected]


def test_every_broken_lab_has_its_message() -> None:
    assert {name for name, _ in BROKEN_LABS} == {file.stem for file in BROKEN.glob("*.yml")}


def test_labs_that_depend_on_each_other_are_named(add_lab: AddLab, tmp_path: Path) -> None:
    add_lab("alpha", after="beta")
    add_lab("beta", after="alpha")
    assert problems(tmp_path) == ["labs/alpha/lab.yml:5: the labs depend on each other: alpha → beta → alpha"]


@pytest.mark.parametrize("place", ["manifests/demo", "checks/demo", "docs/labs/demo.md", "docs/labs/demo.zh.md"])
def test_a_lab_without_one_of_its_places_is_broken(add_lab: AddLab, tmp_path: Path, place: str) -> None:
    add_lab()
    (tmp_path / place).rename(tmp_path / "elsewhere")
    assert problems(tmp_path) == [f"labs/demo/lab.yml:1: {place} is missing"]


def test_broken_faults_are_reported_line_by_line(add_lab: AddLab, tmp_path: Path) -> None:
    faults = add_lab().parent / "faults"
    (faults / "one.yml").write_text(FAULT.format(id="two", fails="secnd"), encoding="utf-8")
    (faults / "three.yml").write_text("id: three\nfails: []\n", encoding="utf-8")
    assert problems(tmp_path) == [
        "labs/demo/faults/one.yml:1: the id is 'two' but the file is one.yml",
        "labs/demo/faults/one.yml:9: unknown objective 'secnd'. Did you mean 'second'?",
        "labs/demo/faults/three.yml:1: 'commands' is missing",
        "labs/demo/faults/three.yml:1: 'repair' is missing",
        "labs/demo/faults/three.yml:1: 'title' is missing",
        "labs/demo/faults/three.yml:2: 'fails': List should have at least 1 item after validation, not 0",
    ]


def test_the_problems_of_all_files_come_at_once(add_lab: AddLab, tmp_path: Path) -> None:
    shutil.copy(BROKEN / "no-points.yml", add_lab("demo"))
    shutil.copy(BROKEN / "not-closed.yml", add_lab("other"))
    assert problems(tmp_path) == [
        "labs/demo/lab.yml:9: 'objectives.0.points': Input should be greater than 0",
        "labs/other/lab.yml:6: not valid YAML: did not find expected ',' or '}'",
    ]


def test_bytes_that_are_not_text_are_a_problem_of_the_file(add_lab: AddLab, tmp_path: Path) -> None:
    add_lab().write_bytes(b"id: \xff\n")
    assert [line[:36] for line in problems(tmp_path)] == ["labs/demo/lab.yml:1: not readable: '"]
