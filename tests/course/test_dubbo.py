"""The delivery beyond what is graded: what each account is allowed to do, builds by hand, and no need of a network."""

import json
from collections.abc import Callable

import pytest

from labs.engine.course.lab_files import Lab
from labs.engine.session import Session
from tests.course.conftest import LABS, results

Run = Callable[[str, str], str]
DUBBO = next(lab for lab in LABS if lab.id == "dubbo")
pytestmark = pytest.mark.parametrize("lab", [DUBBO], ids=[DUBBO.id])
of_every_member = pytest.mark.parametrize("member", ["f0-11", "f0-12", "f0-13"])

CODE = "curl -s -o /dev/null -w '%{http_code}'"
UPLOAD = (
    "-X POST -u {user}:$(cat /etc/docker/registry/{user}.password) https://harbor.frank.com/v2/{place}/x/blobs/uploads/"
)
BY_HAND = {
    "builderid": 1,
    "app_name": "dubbo-demo-consumer",
    "image_name": "app/dubbo-demo-consumer",
    "git_repo": "http://git.frank.com/dubbo-demo.git",
    "git_ver": "master",
    "add_tag": "by-hand",
    "mvn_dir": "./",
    "target_dir": "consumer/target",
    "mvn_cmd": "mvn clean package -pl consumer -am",
    "base_image": "base/jre:21",
    "maven": "3.9",
}
QUESTION = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "force", "params": BY_HAND})
FORCE = f"curl -s -b $jar --json '{QUESTION}' http://ci.frank.com/api/v2/forceschedulers/form"
SIGN_IN = 'jar=$(mktemp); curl -s -o /dev/null -c $jar -u "dev:$(cat /etc/git/password)" http://ci.frank.com/auth/login'
BUILT = """
timeout 120 sh -c 'until curl -s "http://ci.frank.com/api/v2/builds?complete=true&property=image" |
  jq -e ".builds[] | select(.properties.image[0] | endswith(\\":master_by-hand\\")) | .results == 0"; do sleep 1; done'
"""


@pytest.mark.parametrize(
    ("user", "place", "status"),
    [("ci", "app", "202"), ("ci", "base", "403"), ("ci", "public", "403"), ("reader", "app", "403")],
)
def test_an_account_pushes_only_where_it_should(kept: Session, run: Run, user: str, place: str, status: str) -> None:
    assert run("f0-15", f"{CODE} {UPLOAD.format(user=user, place=place)}") == status


@pytest.mark.parametrize("place", ["app/dubbo-demo-service", "base/jre"])
def test_an_anonymous_client_cannot_list_private_tags(kept: Session, run: Run, place: str) -> None:
    assert run("f0-14", f"{CODE} https://harbor.frank.com/v2/{place}/tags/list") == "401"


def test_source_needs_a_password_and_the_ci_server_can_only_read_it(kept: Session, run: Run) -> None:
    url = "git.frank.com/dubbo-demo.git"
    assert run("f0-13", f"{CODE} 'http://{url}/info/refs?service=git-upload-pack'") == "401"
    assert run("f0-15", f"cd / && sudo --user=ci --set-home git ls-remote --heads http://{url}").endswith(
        "refs/heads/master"
    )
    push = f"cd /tmp && git clone -q http://{url} asci && sudo chown -R ci: asci && cd asci"
    pushed = (
        f"{push} && sudo --user=ci --set-home git push http://{url} master:mine 2>&1 || true; sudo rm -rf /tmp/asci"
    )
    assert "403" in run("f0-15", pushed)


def test_the_ci_servers_account_cannot_do_more_than_deliver(kept: Session, run: Run) -> None:
    may = "sudo --user=ci --set-home kubectl auth can-i {} 2>/dev/null || true"
    allowed = ("patch deployments", "create secrets", "get secrets/harbor")
    forbidden = (
        "delete deployments",
        "list secrets",
        "get secrets/other",
        "create pods/exec",
        "get pods -n kube-system",
    )
    assert {one: run("f0-15", may.format(one)) for one in allowed} == dict.fromkeys(allowed, "yes")
    assert {one: run("f0-15", may.format(one)) for one in forbidden} == dict.fromkeys(forbidden, "no")


def test_an_anonymous_client_cannot_start_a_build(kept: Session, run: Run) -> None:
    assert "you need to have role" in run("f0-15", f"jar=/dev/null; {FORCE}")
    assert run("f0-13", f"{CODE} -X POST http://ci.frank.com/change_hook/base") == "404"


def test_a_build_by_hand_with_all_ten_parameters_is_deployed_and_graded(kept: Session, lab: Lab, run: Run) -> None:
    assert '"result"' in run("f0-15", f"{SIGN_IN}; {FORCE}")
    run("f0-15", BUILT)
    report = kept.check(lab.id)
    assert set(results(report).values()) == {"passed"}, report.to_dict()
    image = "kubectl -n app get deployment dubbo-demo-consumer -o jsonpath='{.spec.template.spec.containers[0].image}'"
    assert run("f0-13", image).endswith(":master_by-hand")


def test_the_delivery_works_again_after_a_reboot(kept: Session, lab: Lab) -> None:
    kept.reboot("f0-15")
    assert set(results(kept.check(lab.id)).values()) == {"passed"}


def test_the_ci_host_has_no_route_to_the_internet(kept: Session, run: Run) -> None:
    assert "unreachable" in run("f0-15", "ip route get 192.0.2.77 2>&1 || true")


@of_every_member
def test_calls_succeed_while_any_one_member_of_zookeeper_is_down(kept: Session, run: Run, member: str) -> None:
    mode = "timeout 60 sh -c 'until echo srvr | nc -w 2 localhost 2181 | grep -q Mode; do sleep 0.3; done'"
    run(member, "sudo systemctl stop zookeeper")
    answers = run("f0-15", f"for i in 1 2 3 4 5; do {CODE} --max-time 4 http://demo.frank.com/hello; done")
    run(member, f"sudo systemctl start zookeeper && {mode}")
    assert answers == "200" * 5
