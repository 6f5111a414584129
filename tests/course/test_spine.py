"""What every lab stands on: five hosts and a cluster built the hard way, at the starting state of the first lab."""

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from labs.engine.course.lab_files import Lab
from labs.engine.errors import LabError
from labs.engine.session import Session
from labs.engine.settings import Settings
from labs.engine.waiting import wait_until
from tests.course.conftest import LABS, Stage
from tests.course.watch import OutsideWatch

Run = Callable[[str, str], str]
FIRST = LABS[0]
pytestmark = pytest.mark.parametrize("lab", [FIRST], ids=[FIRST.id], scope="module")
HOSTS = ["f0-11", "f0-12", "f0-13", "f0-14", "f0-15"]
of_every_host = pytest.mark.parametrize("host", HOSTS)
of_every_node = pytest.mark.parametrize("node", ["f0-13", "f0-14"])
PROBE = "kubectl -n kube-system get pod probe-{} -o jsonpath='{{.status.podIP}}'"


@pytest.fixture(scope="module")
def up(stage: Stage, lab: Lab) -> Session:
    """Hosts that these tests only look at, or leave as they found them."""
    return stage.bring(lab)


@of_every_host
def test_systemd_runs_everything_a_host_should(up: Session, run: Run, host: str) -> None:
    assert run(host, "systemctl is-system-running") == "running"


def test_up_a_second_time_changes_nothing(up: Session, lab: Lab, run: Run) -> None:
    before = run("f0-13", "cat /proc/1/stat | cut -d' ' -f22; systemctl show -p MainPID kubelet")
    up.up(lab.id)
    assert run("f0-13", "cat /proc/1/stat | cut -d' ' -f22; systemctl show -p MainPID kubelet") == before


@of_every_host
def test_names_of_the_zone_resolve_forward_and_reverse(up: Session, run: Run, host: str) -> None:
    address = run("f0-12", f"dig +short {host}.frank.com")
    assert run("f0-14", f"dig +short -x {address}") == f"{host}.frank.com."


def test_a_name_outside_the_course_does_not_exist_at_once(up: Session, run: Run) -> None:
    assert "status: NXDOMAIN" in run("f0-15", "dig +time=1 +tries=1 example.org")


@pytest.mark.parametrize("user", ["", "sudo "])
@of_every_node
def test_kubectl_works_on_a_control_plane(up: Session, run: Run, node: str, user: str) -> None:
    assert run(node, f"{user}kubectl get nodes -o name") == "node/f0-13\nnode/f0-14"


def test_kubectl_works_from_the_learners_machine(up: Session, settings: Settings) -> None:
    kubectl = next(settings.cache.glob("components/kubernetes-*/bin/kubectl"))
    environment = {**os.environ, "KUBECONFIG": str(up.workspace.kubeconfig)}
    done = subprocess.run([kubectl, "get", "--raw", "/readyz"], env=environment, capture_output=True, text=True)
    assert done.stdout == "ok", done.stderr


@of_every_node
def test_pods_of_one_node_reach_each_other_but_not_those_of_the_other(up: Session, run: Run, node: str) -> None:
    other = {"f0-13": "f0-14", "f0-14": "f0-13"}[node]
    image = run(node, "kubectl -n kube-system get pod probe-f0-13 -o jsonpath='{.spec.containers[0].image}'")
    overrides = json.dumps({"spec": {"nodeName": node}})
    pod = f"kubectl run neighbour-{node} --image={image} --image-pull-policy=Never --overrides='{overrides}'"
    run(node, f"{pod} && kubectl wait --for=condition=Ready --timeout=60s pod/neighbour-{node}")
    ping = f"kubectl exec neighbour-{node} -- ping -c1 -W1"
    assert "1 packets received" in run(node, f"{ping} $({PROBE.format(node)})")
    assert "100% packet loss" in run(node, f"{ping} $({PROBE.format(other)}) 2>&1 || true")
    run(node, f"kubectl delete pod neighbour-{node} --now")


@pytest.mark.parametrize(
    "url", ["https://f0-api.frank.com:7443/api", "https://f0-13:10250/pods", "https://f0-14:10250/pods"]
)
def test_anonymous_requests_are_rejected(up: Session, run: Run, url: str) -> None:
    assert run("f0-15", f"curl -s -o /dev/null -w '%{{http_code}}' {url}") == "401"


@of_every_node
def test_a_node_is_not_allowed_to_change_another_one(up: Session, run: Run, node: str) -> None:
    other = {"f0-13": "f0-14", "f0-14": "f0-13"}[node]
    label = f"sudo kubectl --kubeconfig /etc/kubernetes/kubelet.kubeconfig label node {other} mine=yes 2>&1 || true"
    assert "forbidden" in run(node, label)


def test_secrets_are_encrypted_in_etcd(up: Session, run: Run) -> None:
    run("f0-13", "kubectl create secret generic seen --from-literal=word=plain-to-see")
    stored = run("f0-13", "sudo etcdctl get /registry/secrets/default/seen --print-value-only | tr -d '\\0'")
    run("f0-13", "kubectl delete secret seen")
    assert "k8s:enc:secretbox" in stored
    assert "plain-to-see" not in stored


def test_the_audit_log_says_which_user_did_what(up: Session, run: Run) -> None:
    run("f0-13", "kubectl create configmap audited && kubectl delete configmap audited")
    found = 'sudo grep -h \'"name":"audited"\' /var/log/kubernetes/audit.log || true'
    said = run("f0-13", found) + run("f0-14", found)
    assert '"username":"admin"' in said
    assert '"verb":"create"' in said


def test_only_authenticated_clients_push_to_the_registry(up: Session, run: Run) -> None:
    assert run("f0-13", "curl -s -o /dev/null -w '%{http_code}' https://harbor.frank.com/v2/") == "401"
    image = "harbor.frank.com/public/probe:1.0.0"
    run("f0-15", f"docker load --quiet --input /opt/images/probe.tar && (! docker push --quiet {image} 2>&1)")
    run("f0-15", "docker login --username admin --password-stdin harbor.frank.com < /etc/docker/registry/password 2>&1")
    run("f0-15", f"docker push --quiet {image} && docker logout harbor.frank.com")
    public = "https://harbor.frank.com/v2/public/probe/manifests/1.0.0"
    assert run("f0-13", f"curl -s -o /dev/null -w '%{{http_code}}' {public}") == "200"
    assert run("f0-13", f"curl -s -o /dev/null -w '%{{http_code}}' -X DELETE {public}") == "401"
    assert run("f0-13", "curl -s -o /dev/null -w '%{http_code}' https://harbor.frank.com/v2/_catalog") == "401"
    pull = f"sudo ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d --user admin:$PASSWORD {image}"
    password = run("f0-15", "cat /etc/docker/registry/password")
    assert "probe:1.0.0" in run("f0-14", f"PASSWORD={password}; {pull} | tail -n 20")


def test_the_manifests_are_served_as_files(up: Session, lab: Lab, run: Run) -> None:
    assert f"{lab.id}/" in run("f0-13", "curl -sf http://k8s-yaml.frank.com/")


def test_the_virtual_ip_fails_over_when_a_proxy_dies(up: Session, run: Run) -> None:
    vip = "ip -brief address show eth0"
    assert ".10/24" in run("f0-11", vip)
    run("f0-11", "sudo systemctl stop nginx")
    moved = wait_until(lambda: ".10/24" in run("f0-12", vip), 20)
    answer = run("f0-13", "kubectl get --raw /readyz")
    run("f0-11", "sudo systemctl start nginx")
    back = wait_until(lambda: ".10/24" in run("f0-11", vip), 20)
    assert (moved, answer, back) == (True, "ok", True)


def test_what_is_changed_on_a_host_survives_its_reboot(up: Session, run: Run) -> None:
    zone = "/etc/bind/db.frank.com"
    run("f0-11", f"echo '; changed' | sudo tee -a {zone}")
    up.reboot("f0-11")
    kept = run("f0-11", f"tail -n 1 {zone} && sudo sed -i '/^; changed$/d' {zone}")
    assert kept == "; changed"


@of_every_host
def test_a_host_has_no_way_out(up: Session, run: Run, host: str) -> None:
    assert "unreachable" in run(host, "ip route get 192.0.2.1 2>&1 || true").lower()


def test_another_lab_needs_the_switch_and_an_unknown_one_is_reported(up: Session, lab: Lab) -> None:
    with pytest.raises(LabError, match=f"The hosts are up for the lab '{lab.id}'"):
        up.up(LABS[-1].id)
    with pytest.raises(LabError, match="There is no lab"):
        up.up(f"{lab.id}x")


def test_no_packet_of_the_lab_leaves_this_machine(up: Session, run: Run, outside: OutsideWatch) -> None:
    if not outside.watching:
        pytest.skip("watching the outside interface needs root and a default route")
    run("f0-13", "for to in 192.0.2.77 172.7.14.9 10.254.9.9; do timeout 3 ping -c1 -W1 $to || true; done")
    run("f0-13", "kubectl -n kube-system exec probe-f0-13 -- ping -c1 -W1 192.0.2.77 || true")
    assert outside.packets.get(up.workspace.name), "The watch is deaf: it heard nothing on the lab's own bridge."
    assert outside.leaked == []
