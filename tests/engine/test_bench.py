"""The benchmark: every figure is there, and hosts that are up are not removed by it."""

import pytest

from labs.engine.bench import run_bench, seconds
from labs.engine.course.course import load_course
from labs.engine.errors import LabError
from labs.engine.events import Events
from tests.engine.story import Stage, refused


def bench(stage: Stage, lab: str | None) -> list[dict[str, dict[str, float]]]:
    course, world = load_course(stage.repo), stage.world
    return run_bench(course, stage.workspace, stage.settings, Events(), lab, world.tools())


def test_it_measures_every_task_of_a_lab(stage: Stage) -> None:
    (result,) = bench(stage, "first")
    assert result["seconds"].keys() == {
        *("baseline", "up", "check_before", "solve", "check", "check_all", "reset", "down"),
        *("up_per_baseline", "list"),
    }
    assert result["memory_mib"]["all"] == 5 * 64
    assert result["size_mib"] == {"host_images": 700, "components": 0, "archives": 0}


def test_it_leaves_no_hosts(stage: Stage) -> None:
    bench(stage, "first")
    assert not stage.workspace.root.exists()
    assert stage.world.hosts == {}


def test_it_does_not_remove_hosts_that_are_up(stage: Stage) -> None:
    stage.up("first")
    with pytest.raises(LabError) as raised:
        bench(stage, None)
    assert refused(raised)[0] == "other-lab"
    assert stage.world.story == []


def test_an_unknown_lab_is_an_error(stage: Stage) -> None:
    with pytest.raises(LabError) as raised:
        bench(stage, "frist")
    assert refused(raised)[0] == "unknown-name"


def test_work_is_timed() -> None:
    done: list[int] = []
    assert seconds(lambda: done.append(1)) >= 0
    assert done == [1]
