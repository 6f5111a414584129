"""The course as a whole: one value, which can be sent to another process."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from labs.engine.course.course import Course, load_course
from labs.engine.errors import LabError
from tests.engine.conftest import REPO


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(REPO)


def test_a_pickled_course_is_the_same_course(course: Course) -> None:
    assert pickle.loads(pickle.dumps(course)) == course


@pytest.mark.parametrize("name", ["repo", "catalog", "topology", "edition"])
def test_a_course_cannot_be_changed(course: Course, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(course, name, None)


def test_a_lab_needs_what_every_lab_needs_and_what_it_names_itself(course: Course) -> None:
    needs = course.needs("flannel")
    assert {"pause", "whoami", "flannel"} <= {*needs.components}
    assert {"pause", "probe"} <= {*needs.images}


def test_every_need_of_every_lab_is_in_the_edition(course: Course) -> None:
    needs = [course.needs(id) for id in course.catalog.labs]
    assert {name for need in needs for name in need.components} <= {*course.edition.components}
    assert {name for need in needs for name in need.images} <= {*course.edition.images}


def test_steps_can_be_cut_off_after_a_number(course: Course) -> None:
    assert course.steps("flannel", 2) == course.steps("flannel")[:2]


@pytest.mark.parametrize("until", [0, 99])
def test_a_number_that_no_step_has_is_refused(course: Course, until: int) -> None:
    with pytest.raises(LabError) as raised:
        course.steps("flannel", until)
    assert (raised.value.code, str(raised.value.hint)) == (
        "unknown-name",
        "`invoke lab.solve flannel --dry-run` lists them.",
    )


def test_steps_of_an_unknown_lab_are_refused(course: Course) -> None:
    with pytest.raises(LabError, match=r"^There is no lab 'flanel'\. Did you mean 'flannel'\?$"):
        course.steps("flanel")
