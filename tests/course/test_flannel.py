"""What is special to the Flannel lab: ways other than the page's are right as well."""

from collections.abc import Callable

import pytest

from labs.engine.course.lab_files import Lab
from labs.engine.session import Session
from tests.course.conftest import LABS, results

pytestmark = pytest.mark.parametrize("lab", LABS[:1], ids=["flannel"])
Run = Callable[[str, str], str]
VXLAN = '{"Network": "172.7.0.0/16", "Backend": {"Type": "vxlan"}}'


def on_both_nodes(run: Run, script: str) -> None:
    for node in ("f0-13", "f0-14"):
        run(node, script)


def test_with_vxlan_everything_passes_but_the_routes_of_host_gw(solved: Session, lab: Lab, run: Run) -> None:
    run("f0-12", f"sudo etcdctl put /coreos.com/network/config '{VXLAN}'")
    on_both_nodes(run, "sudo systemctl restart flanneld")
    run("f0-13", "timeout 30 sh -c 'until ip route show 172.7.14.0/24 | grep -q flannel.1; do sleep 0.2; done'")
    report = solved.check(lab.id)
    assert {id for id, result in results(report).items() if result != "passed"} == {"routes"}
    assert "into the tunnel flannel.1" in next(str(each.evidence) for each in report.objectives if each.id == "routes")


def test_masquerading_by_flanneld_instead_of_the_unit_passes_too(solved: Session, lab: Lab, run: Run) -> None:
    on_both_nodes(run, "sudo systemctl disable --now pod-nat")
    on_both_nodes(run, "sudo sed -i 's/--ip-masq=false/--ip-masq=true/' /etc/systemd/system/flanneld.service")
    on_both_nodes(run, "sudo systemctl daemon-reload && sudo systemctl restart flanneld")
    assert set(results(solved.check(lab.id)).values()) == {"passed"}
