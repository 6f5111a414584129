"""One id names a lab in four places. What is in one of them only is a lab that nobody finds."""

import pytest

from tests.docs.pages import REPO

LABS = {path.parent.name for path in REPO.glob("labs/*/lab.yml")}
PLACES = {
    "manifests": {path.name for path in REPO.glob("manifests/*/")},
    "checks": {path.name for path in REPO.glob("checks/[!_.]*/")} - {"locale"},
    "tests of objectives": {path.parent.name for path in REPO.glob("checks/*/test_*.py")},
    "pages": {path.stem for path in REPO.glob("docs/labs/*.md")}
    - {path.stem for path in REPO.glob("docs/labs/*.zh.md")},
    "Chinese pages": {path.name.removesuffix(".zh.md") for path in REPO.glob("docs/labs/*.zh.md")},
    "folders of labs": {path.name for path in REPO.glob("labs/[!_.]*/")} - {"engine"},
}


def test_there_are_labs() -> None:
    assert LABS


@pytest.mark.parametrize("place", PLACES)
def test_every_lab_is_there_and_nothing_else_is(place: str) -> None:
    assert PLACES[place] == LABS
