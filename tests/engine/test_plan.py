"""The plan of a lab's hosts: computed once, from the lab and those before it."""

from typing import cast

import pytest

from labs.engine.course.course import load_course
from labs.engine.errors import LabError
from labs.engine.plan import Plan, make_plan
from labs.engine.software.software import Software
from tests.engine.conftest import REPO
from tests.engine.fake_provider import FakeSoftware, World


def plan(lab: str, network: str | None = None) -> Plan:
    return make_plan(load_course(REPO), cast(Software, FakeSoftware(World())), lab, network)


def test_a_plan_has_what_every_lab_and_earlier_labs_need() -> None:
    needs = plan("coredns").needs
    assert {"flannel", "coredns", "pause", "whoami"} <= set(needs.components)
    assert {"coredns", "probe"} <= set(needs.images)


def test_hosts_have_the_optional_roles_that_the_lab_needs() -> None:
    assert [host.name for host in plan("dubbo").topology.all_with_role("delivery")] == ["f0-15"]
    assert plan("flannel").topology.all_with_role("delivery") == []


def test_a_plan_can_have_another_network() -> None:
    assert str(plan("flannel", "10.20.30.0/24").topology.address("f0-13")) == "10.20.30.13"


@pytest.mark.parametrize(
    ("lab", "network", "code"), [("flanel", None, "unknown-name"), ("flannel", "10.0.0.0/8", "network-invalid")]
)
def test_a_plan_of_something_that_does_not_exist_is_an_error(lab: str, network: str | None, code: str) -> None:
    with pytest.raises(LabError) as raised:
        plan(lab, network)
    assert raised.value.code == code
