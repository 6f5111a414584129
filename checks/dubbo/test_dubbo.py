"""The objectives of the Dubbo lab. Each test reads as what it asserts; its message is what the learner sees."""

from collections.abc import Mapping, Sequence

import pytest

from checks.dubbo.application import APPLICATIONS, CONSUMER, PROVIDER, Application, Build
from checks.dubbo.demo import MONITOR, PAGE, Calls, Greeting
from checks.dubbo.registry import ANONYMOUS, Account, Image
from checks.dubbo.zookeeper import MEMBERS
from checks.http_answers import HttpAnswer
from checks.names import REGISTRY
from labs.engine.messages import _, listing

pytestmark = pytest.mark.usefixtures("every_host")
Applications = Mapping[str, Application]
NO_GREETINGS = _("f0-15 gets no answer from {page}.", page=PAGE)
of_each_application = pytest.mark.parametrize("name", APPLICATIONS)


@pytest.mark.objective("zookeeper")
@pytest.mark.parametrize("member", MEMBERS)
def test_each_member_is_part_of_the_ensemble(member: str, modes: Mapping[str, str]) -> None:
    assert modes[member], _(
        "f0-15 sends `srvr` to port 2181 of {member} and gets no mode (leader or follower).", member=member
    )
    assert modes[member] in ("leader", "follower"), _(
        "{member} is not part of an ensemble: its mode is {mode}.", member=member, mode=modes[member]
    )


@pytest.mark.objective("zookeeper")
def test_one_of_them_leads(modes: Mapping[str, str]) -> None:
    leaders = [member for member, mode in modes.items() if mode == "leader"]
    assert len(leaders) == 1, _(
        "Exactly one member should be the leader. Leaders: {leaders}.", leaders=listing(leaders)
    )


@pytest.mark.objective("base-image")
def test_a_base_image_is_in_the_registry(registry_accepts_admin: bool, base_images: Sequence[Image]) -> None:
    assert registry_accepts_admin, _(
        "{registry} does not accept its administrator's password when f0-15 asks it.", registry=REGISTRY
    )
    assert base_images, _("{registry} has no image under base/.", registry=REGISTRY)


@pytest.mark.objective("build")
@of_each_application
def test_the_deployed_image_was_built_from_a_commit_in_git(
    name: str,
    applications: Applications,
    builds: Sequence[Build] | None,
    deployed_builds: Mapping[str, Build | None],
    commits: set[str],
) -> None:
    application, build = applications[name], deployed_builds[name]
    assert not application.undeployed, application.undeployed
    assert builds is not None, _("The CI server does not answer at http://ci.frank.com/.")
    assert build, _(
        "{name} is deployed as {image}, but no successful build made this image.", name=name, image=application.image
    )
    assert build.commit in commits, _(
        "Build {number} used the commit {commit}, which is not in the repository.",
        number=build.number,
        commit=build.commit,
    )


@pytest.mark.objective("registry")
@of_each_application
def test_images_need_a_password(
    name: str, applications: Applications, public_images: Mapping[str, Mapping[Image, str]]
) -> None:
    assert not applications[name].undeployed, applications[name].undeployed
    public = public_images[name]
    assert not public, _(
        "The registry should ask for a password (status 401 or 403). Without one, it answers: {images}.",
        images=listing(f"{status} ({image})" for image, status in public.items()),
    )


@pytest.mark.objective("registry")
@of_each_application
def test_nodes_use_an_account_that_can_only_read(
    name: str,
    applications: Applications,
    pull_accounts: Mapping[str, Account],
    pull_statuses: Mapping[str, str],
    pull_accounts_that_push: Mapping[str, bool],
) -> None:
    application, account = applications[name], pull_accounts[name]
    assert not application.undeployed, application.undeployed
    assert account != ANONYMOUS, _(
        "The pods of {name} name no existing Secret with a password for {registry} (imagePullSecrets).",
        name=name,
        registry=REGISTRY,
    )
    assert pull_statuses[name] == "200", _(
        "With the pull Secret of {name} (account {account}), the registry answers {status} for {image}.",
        name=name,
        account=account.name,
        status=pull_statuses[name],
        image=application.image,
    )
    assert not pull_accounts_that_push[name], _(
        "The account in the pull Secret of {name} ({account}) is allowed to push images. A node only needs to pull.",
        name=name,
        account=account.name,
    )


@pytest.mark.objective("provider")
def test_the_list_has_exactly_the_ready_providers(
    applications: Applications, listed_providers: Sequence[str] | None
) -> None:
    ready = sorted(pod["status"]["podIP"] for pod in applications[PROVIDER].ready_pods)
    assert listed_providers is not None, _("ZooKeeper does not serve requests, so consumers cannot find providers.")
    assert ready, _("No pod of {name} is ready.", name=PROVIDER)
    assert listed_providers == ready, _(
        "ZooKeeper lists the providers {listed}, but the ready pods of {name} have the addresses {ready}.",
        listed=listing(listed_providers),
        name=PROVIDER,
        ready=listing(ready),
    )


@pytest.mark.objective("demo")
def test_clients_are_greeted(greetings: Sequence[Greeting]) -> None:
    wrong = [greeting for greeting in greetings if not greeting.is_greeting]
    assert greetings, NO_GREETINGS
    assert not wrong, _(
        "f0-15 asks {page}?name={word} and should get status 200 and a message with that name. It gets {answer}",
        page=PAGE,
        word=wrong[0].word,
        answer=wrong[0].evidence,
    )


@pytest.mark.objective("demo")
@pytest.mark.parametrize(("side", "name"), [("provider", PROVIDER), ("consumer", CONSUMER)])
def test_the_answer_comes_from_the_deployed_version(
    side: str, name: str, greetings: Sequence[Greeting], applications: Applications
) -> None:
    running = applications[name].images
    assert greetings, NO_GREETINGS
    foreign = [greeting for greeting in greetings if greeting.detail(side, "pod") not in running]
    assert not foreign, _(
        "An answer says that its {side} is the pod '{pod}', which is not a ready pod of {name}: {answer}",
        side=side,
        pod=foreign[0].detail(side, "pod"),
        name=name,
        answer=foreign[0].evidence,
    )
    versions = {greeting.detail(side, "pod"): greeting.detail(side, "version") for greeting in greetings}
    other = [pod for pod, version in versions.items() if version != running[pod].tag]
    assert not other, _(
        "The pod {pod} runs {image}, but says that its version is {version}.",
        pod=other[0],
        image=running[other[0]],
        version=versions[other[0]] or _("unknown"),
    )


@pytest.mark.objective("monitor")
@of_each_application
def test_the_monitor_has_a_page_of_both(name: str, monitor_page: HttpAnswer) -> None:
    assert monitor_page.status == "200", _(
        "{url} should give a page. It gives: {answer}.", url=MONITOR, answer=monitor_page.evidence
    )
    assert name in monitor_page.body, _("The page of {url} does not mention {name}.", url=MONITOR, name=name)


@pytest.mark.objective("monitor")
@of_each_application
def test_the_monitor_counts_calls(name: str, counted_calls: Mapping[str, Calls]) -> None:
    calls = counted_calls[name]
    assert calls.grew, _(
        "demo.frank.com has clients, but the monitor counts no more calls of {name}: {before} before, {now} now.",
        name=name,
        before=f"{calls.before:.0f}",
        now=f"{calls.now:.0f}",
    )


@pytest.mark.objective("scaled")
@pytest.mark.parametrize(("side", "name", "wanted"), [("provider", PROVIDER, 3), ("consumer", CONSUMER, 2)])
def test_all_of_them_share_the_work(
    side: str,
    name: str,
    wanted: int,
    applications: Applications,
    many_greetings: Sequence[Greeting],
    idle_pods: Mapping[str, Sequence[str]],
) -> None:
    ready = len(applications[name].images)
    assert ready >= wanted, _(
        "{ready} pods of {name} are ready, but {wanted} should be.", ready=ready, name=name, wanted=wanted
    )
    assert not idle_pods[side], _(
        "f0-15 sent {count} requests to demo.frank.com, but these pods took no part in any answer: {pods}.",
        count=len(many_greetings),
        pods=listing(idle_pods[side]),
    )


@pytest.mark.objective("traceable")
@of_each_application
def test_every_pod_leads_to_its_commit_and_its_build(
    name: str,
    applications: Applications,
    pod_builds: Mapping[str, Mapping[str, Build | None]],
    untraceable_pods: Mapping[str, Mapping[str, Image]],
) -> None:
    assert applications[name].images, _("No pod of {name} is ready.", name=name)
    unbuilt = [pod for pod, build in pod_builds[name].items() if build is None]
    assert not unbuilt, _(
        "No successful build made the image of these pods of {name}: {pods}.", name=name, pods=listing(unbuilt)
    )
    assert not untraceable_pods[name], _(
        "Neither the tag nor a label of these images states the commit that the build used: {images}.",
        images=listing(f"{image} ({pod})" for pod, image in untraceable_pods[name].items()),
    )
