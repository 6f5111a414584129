"""What checks read out of answers: permissions, DNS, ZooKeeper, workloads, tokens."""

import struct
from typing import Any

from checks.coredns.dns import DnsAnswer, parse_answer, question
from checks.dashboard.site import Reply
from checks.dubbo.zookeeper import parse_children
from checks.permissions import SECRET_RESOURCES, access_review, excess_listing, excess_permissions
from checks.workloads import Workload, wrong_images

DIG = """\
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
a.example.\t30\tIN\tA\t10.0.0.1
a.example.\t5\tIN\tA\t10.0.0.2
"""


def rule(verbs: str, resources: str, group: str = "") -> dict[str, list[str]]:
    return {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": [group]}


def deployment(name: str, image: str, **status: int) -> dict[str, Any]:
    pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"image": image}]}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": pod, "replicas": 2}
    return {"kind": "Deployment", "metadata": {"namespace": "default", "name": name}, "spec": spec, "status": status}


def reply(*children: bytes, error: int = 0) -> bytes:
    body = struct.pack(">iqi", 1, 0, error) + (struct.pack(">i", len(children)) if not error else b"")
    body += b"".join(struct.pack(">i", len(child)) + child for child in children)
    return struct.pack(">i", 4) + b"conn" + struct.pack(">i", len(body)) + body


def test_permissions_beyond_those_needed_are_excess() -> None:
    rules = [rule("get list delete", "pods"), rule("update", "ingresses/status", "networking.k8s.io")]
    assert excess_permissions(rules, ["pods"], ["ingresses/status.*"]) == ["delete pods"]


def test_asking_what_you_may_do_is_no_excess_permission() -> None:
    assert excess_permissions([rule("create", "selfsubjectrulesreviews", "authorization.k8s.io")]) == []


def test_reading_everything_includes_secrets() -> None:
    rules = [rule("get", "*", "*"), rule("list", "pods")]
    assert excess_permissions(rules, ["*"], hidden=SECRET_RESOURCES) == ["get *.*"]


def test_namespaces_with_the_same_permissions_are_listed_together() -> None:
    excess = {"a": ["get secrets"], "b": ["get secrets"], "c": ["get pods"]}
    assert str(excess_listing(excess)) == "in the namespaces a, b: get secrets; in the namespaces c: get pods"


def test_an_access_review_names_resource_and_group() -> None:
    attributes = access_review(("list", "ingresses.networking.k8s.io"))["spec"]["resourceAttributes"]
    assert attributes == {"verb": "list", "resource": "ingresses", "group": "networking.k8s.io"}


def test_an_answer_of_a_name_server_has_status_records_and_ttl() -> None:
    assert parse_answer(DIG) == DnsAnswer("NOERROR", frozenset({"10.0.0.1", "10.0.0.2"}), 30)


def test_silence_of_a_name_server_has_no_status() -> None:
    answer = parse_answer(";; no servers could be reached\n")
    assert (answer.status, answer.evidence.of("en"), answer.evidence.of("zh")) == ("", "no answer", "没有应答")


def test_addresses_are_asked_for_their_names() -> None:
    assert question("10.254.0.2", "10.254.0.1") == "@10.254.0.2 -x 10.254.0.1"
    assert question("10.254.0.2", "a.example", "+tcp") == "@10.254.0.2 +tcp a.example. A"


def test_zookeeper_lists_children() -> None:
    assert parse_children(reply(b"one", b"two")) == ["one", "two"]


def test_a_node_that_does_not_exist_has_no_children() -> None:
    assert parse_children(reply(error=-101)) == []


def test_an_answer_that_is_cut_off_is_none() -> None:
    assert parse_children(reply(b"one")[:-8]) is None
    assert parse_children(b"") is None


def test_a_workload_is_what_its_service_leads_to_whatever_the_image_is_called() -> None:
    service = {"metadata": {"namespace": "default", "name": "dns"}, "spec": {"selector": {"app": "names"}}}
    objects = [deployment("other", "registry/coredns:1"), deployment("names", "registry/mine:1")]
    workload = Workload(objects, "coredns", services=[service])
    assert workload.deployment == objects[1]


def test_a_workload_without_service_is_found_by_its_image() -> None:
    objects = [deployment("web", "traefik/whoami:1"), deployment("names", "registry/coredns:1")]
    assert Workload(objects, "coredns").deployment == objects[1]


def test_a_deployment_is_available_when_all_its_pods_are_ready() -> None:
    assert Workload([deployment("names", "registry/coredns:1", readyReplicas=2)], "coredns").unavailable is None
    unavailable = Workload([deployment("names", "registry/coredns:1", readyReplicas=1)], "coredns").unavailable
    assert str(unavailable) == "1 of the 2 pods of the Deployment names are ready."


def test_an_image_that_was_not_pulled_from_the_registry_is_wrong() -> None:
    status = {"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}
    pod = {
        "kind": "Pod",
        "metadata": {"name": "dns"},
        "spec": {"containers": [{"image": "harbor.frank.com/public/coredns:1"}]},
        "status": status,
    }
    assert [str(problem) for problem in wrong_images([pod], "coredns")] == [
        "The node of the pod dns has not pulled harbor.frank.com/public/coredns:1 from harbor.frank.com: ErrImagePull."
    ]


def test_an_error_of_the_api_is_no_answer_to_a_review() -> None:
    assert Reply("403", '{"kind": "Status", "status": "Failure", "message": "forbidden"}').rules is None
    assert Reply("201", '{"status": {"resourceRules": []}}').rules == []
