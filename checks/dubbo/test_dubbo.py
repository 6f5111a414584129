"""The objectives of the Dubbo lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from checks.dubbo.conftest import APPLICATIONS, CONSUMER, MEMBERS, PROVIDER
from checks.dubbo.registry import HARBOR

if TYPE_CHECKING:
    from checks.dubbo.conftest import Answer, Application, Build
    from checks.dubbo.registry import Image, Registry

pytestmark = pytest.mark.usefixtures("every_host")
Applications = Mapping[str, "Application"]
NO_ENTRY = ("401", "403")
of_each_application = pytest.mark.parametrize("name", APPLICATIONS)


@pytest.mark.objective("zookeeper")
@pytest.mark.parametrize("member", MEMBERS)
def test_each_member_is_part_of_the_ensemble(member: str, modes: Mapping[str, str]) -> None:
    mode = modes[member]
    assert mode, f"Asked with `srvr` on port 2181, {member} does not say what it is in the ensemble."
    assert mode in ("leader", "follower"), f"{member} is no member of an ensemble: it says it is {mode}."


@pytest.mark.objective("zookeeper")
def test_one_of_them_leads(modes: Mapping[str, str]) -> None:
    leaders = [member for member, mode in modes.items() if mode == "leader"]
    assert len(leaders) == 1, f"One member should lead the others. Leaders: {', '.join(leaders) or 'none'}."


@pytest.mark.objective("base-image")
def test_a_base_image_can_be_had(registry: "Registry") -> None:
    assert registry.answers, f"{HARBOR} does not let its administrator in (asked from f0-15)."
    assert registry.base_images, f"{HARBOR} has no image under base/."


@pytest.mark.objective("build")
@of_each_application
def test_what_is_deployed_was_built_from_a_commit_in_git(
    name: str, applications: Applications, builds: Sequence["Build"] | None, in_git: Mapping[str, bool]
) -> None:
    image = _deployed(applications[name])
    assert builds is not None, "The CI server does not answer at http://ci.frank.com/."
    build = _build_of(image, builds)
    assert build, f"{name} is deployed as {image}, and no build that ended well made this image."
    assert in_git[build.commit], f"Build {build.number} was made from {build.commit}, which is not in the repository."


@pytest.mark.objective("registry")
@of_each_application
def test_who_shows_no_password_gets_no_image(name: str, applications: Applications, registry: "Registry") -> None:
    image = _deployed(applications[name])
    for one in (image, *registry.base_images):
        status = registry.status(one, "")
        assert status in NO_ENTRY, f"Anybody may read {one}: without a password, the registry answers {status}."


@pytest.mark.objective("registry")
@of_each_application
def test_nodes_show_a_password_that_lets_them_read_and_no_more(
    name: str, applications: Applications, registry: "Registry", pull_user: Mapping[str, str]
) -> None:
    image, user = _deployed(applications[name]), pull_user[name]
    assert user, f"The pods of {name} name no Secret with a password for {HARBOR} (imagePullSecrets)."
    account = user.partition(":")[0]
    status = registry.status(image, user)
    assert status == "200", f"With the pull secret of {name} ({account}), the registry answers {status} for {image}."
    assert not registry.lets_write(image, user), (
        f"The account in the pull secret of {name} ({account}) may write images. A node only needs to read them."
    )


@pytest.mark.objective("provider")
def test_the_list_has_every_ready_provider_and_nobody_else(
    applications: Applications, registered: Sequence[str] | None
) -> None:
    there = sorted(pod["status"]["podIP"] for pod in applications[PROVIDER].pods)
    assert registered is not None, "ZooKeeper does not answer, so nobody can look up providers."
    assert there, f"No pod of {PROVIDER} is ready."
    assert list(registered) == there, (
        f"ZooKeeper lists {_listed(registered)}; the ready pods of {PROVIDER} have {_listed(there)}."
    )


@pytest.mark.objective("demo")
def test_visitors_are_greeted(answers: Sequence["Answer"]) -> None:
    assert answers, "Nobody gets an answer at http://demo.frank.com/hello."
    for answer in answers:
        assert answer.status == "200", f"f0-15 asks http://demo.frank.com/hello?name={answer.word} and gets {answer}"
        assert answer.word in str(answer.content.get("message", "")), (
            f"f0-15 asks http://demo.frank.com/hello?name={answer.word}, and the message does not greet: {answer}"
        )


@pytest.mark.objective("demo")
@pytest.mark.parametrize(("side", "name"), [("provider", PROVIDER), ("consumer", CONSUMER)])
def test_the_answer_comes_from_the_deployed_version(
    side: str, name: str, answers: Sequence["Answer"], applications: Applications
) -> None:
    running = applications[name].images
    assert answers, "Nobody gets an answer at http://demo.frank.com/hello."
    for answer in answers:
        pod, version = answer.of(side, "pod"), answer.of(side, "version")
        assert pod in running, (
            f"The {side} of an answer calls itself '{pod}', which is no ready pod of {name}: {answer}"
        )
        assert version == running[pod].tag, f"{pod} runs {running[pod]}, and says it is version {version or 'unknown'}."


@pytest.mark.objective("monitor")
def test_the_monitor_has_a_page_of_both(monitor_page: tuple[str, str]) -> None:
    status, text = monitor_page
    assert status == "200", f"http://dubbo-monitor.frank.com/ answers {status if status != '000' else 'nothing'}."
    for name in APPLICATIONS:
        assert name in text, f"The page of http://dubbo-monitor.frank.com/ does not mention {name}."


@pytest.mark.objective("monitor")
@of_each_application
def test_the_monitor_counts_calls(name: str, counted: Mapping[str, tuple[float, float]]) -> None:
    before, after = counted[name]
    assert after > before, (
        f"Visitors came, and the monitor has no more calls of {name} than before: {before:.0f}, then {after:.0f}."
    )


@pytest.mark.objective("scaled")
@pytest.mark.parametrize(("side", "name", "wanted"), [("provider", PROVIDER, 3), ("consumer", CONSUMER, 2)])
def test_all_of_them_share_the_work(
    side: str, name: str, wanted: int, applications: Applications, many_answers: Sequence["Answer"]
) -> None:
    ready = sorted(applications[name].images)
    assert len(ready) >= wanted, f"{len(ready)} pods of {name} are ready, {wanted} should be."
    serving = {answer.of(side, "pod") for answer in many_answers}
    idle = [pod for pod in ready if pod not in serving]
    assert not idle, (
        f"Of {len(many_answers)} requests to demo.frank.com, none was answered with the help of {_listed(idle)}."
    )


@pytest.mark.objective("traceable")
@of_each_application
def test_every_pod_leads_to_its_commit_and_its_build(
    name: str, applications: Applications, builds: Sequence["Build"] | None, registry: "Registry"
) -> None:
    running = applications[name].images
    assert running, f"No pod of {name} is ready."
    for pod, image in running.items():
        build = _build_of(image, builds or ())
        assert build, f"{pod} runs {image}, and no build that ended well made this image."
        told = {image.tag.partition("_")[0], *map(str, registry.labels(image).values())}
        assert any(len(one) > 6 and build.commit.startswith(one) for one in told), (
            f"{pod} runs {image}. Neither this tag nor a label of the image says that it is of commit {build.commit}."
        )


def _deployed(application: "Application") -> "Image":
    image = application.image
    assert image, f"No Deployment runs an image named {application.name} (looked for in all namespaces)."
    assert image.registry == HARBOR, f"{application.name} takes its image from elsewhere: {image}."
    return image


def _build_of(image: "Image", builds: Sequence["Build"]) -> "Build | None":
    return next((one for one in builds if one.image == image.reference), None)


def _listed(those: Sequence[str]) -> str:
    return ", ".join(those) or "nobody"
