"""Probes of the Dubbo lab."""

from collections.abc import Mapping, Sequence

import pytest
from testinfra.host import Host

from checks.cluster import Cluster
from checks.dubbo.application import (
    APPLICATIONS,
    Application,
    Build,
    build_of,
    commits_in_git,
    pull_account,
    read_builds,
)
from checks.dubbo.demo import Calls, Greeting, ask_demo, count_calls, read_monitor
from checks.dubbo.registry import ANONYMOUS, NO_ENTRY, Account, Image, Registry, read_admin
from checks.dubbo.zookeeper import MEMBERS, mode, provider_addresses
from checks.http_answers import HttpAnswer
from checks.parallel import parallel_map
from checks.workloads import Object


@pytest.fixture(scope="session")
def modes(f0_15: Host) -> Mapping[str, str]:
    """What each member of ZooKeeper says it is; empty if it doesn't say."""
    return parallel_map(lambda member: mode(f0_15, member), MEMBERS)


@pytest.fixture(scope="session")
def listed_providers(f0_15: Host) -> Sequence[str] | None:
    """The addresses of the providers in ZooKeeper, sorted; None when no member serves requests."""
    lists = parallel_map(lambda member: provider_addresses(f0_15, member), MEMBERS)
    return next((addresses for addresses in lists.values() if addresses is not None), None)


@pytest.fixture(scope="session")
def applications(objects: Sequence[Object]) -> Mapping[str, Application]:
    """Provider and consumer as they are deployed."""
    return {name: Application(name, objects) for name in APPLICATIONS}


@pytest.fixture(scope="session")
def builds(f0_15: Host) -> Sequence[Build] | None:
    """The successful builds, the last one first; None when the CI server doesn't answer."""
    return read_builds(f0_15)


@pytest.fixture(scope="session")
def deployed_builds(
    applications: Mapping[str, Application], builds: Sequence[Build] | None
) -> Mapping[str, Build | None]:
    """The build of each deployed image."""
    images = {name: application.image for name, application in applications.items()}
    return {name: build_of(image, builds) if image else None for name, image in images.items()}


@pytest.fixture(scope="session")
def commits(f0_15: Host, deployed_builds: Mapping[str, Build | None]) -> set[str]:
    """The commits of these builds that are in the Git repository."""
    return commits_in_git(f0_15, (build.commit for build in deployed_builds.values() if build))


@pytest.fixture(scope="session")
def admin_registry(f0_15: Host) -> Registry:
    """The registry as its administrator sees it."""
    return Registry(f0_15, read_admin(f0_15))


@pytest.fixture(scope="session")
def registry_accepts_admin(admin_registry: Registry) -> bool:
    """Whether the registry accepts its administrator's password."""
    return admin_registry.accepts_account()


@pytest.fixture(scope="session")
def base_images(admin_registry: Registry) -> Sequence[Image]:
    """The images under base/."""
    return admin_registry.images_of("base")


@pytest.fixture(scope="session")
def public_images(
    f0_15: Host, applications: Mapping[str, Application], base_images: Sequence[Image]
) -> Mapping[str, Mapping[Image, str]]:
    """The base images and the deployed image of each application that need no password, with the registry's status."""
    deployed = {name: [application.image] if application.image else [] for name, application in applications.items()}
    images = {image for name in deployed for image in (*deployed[name], *base_images)}
    public = {image: status for image, status in Registry(f0_15).statuses(images).items() if status not in NO_ENTRY}
    return {
        name: {image: public[image] for image in (*deployed[name], *base_images) if image in public}
        for name in deployed
    }


@pytest.fixture(scope="session")
def secrets(cluster: Cluster) -> Mapping[tuple[str, str], Object]:
    """The Secrets of the cluster by namespace and name."""
    return {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in cluster.list("secrets")}


@pytest.fixture(scope="session")
def pull_accounts(
    secrets: Mapping[tuple[str, str], Object], applications: Mapping[str, Application]
) -> Mapping[str, Account]:
    """The account with which nodes pull each application's image."""
    return {name: pull_account(secrets, application) for name, application in applications.items()}


@pytest.fixture(scope="session")
def pull_statuses(
    f0_15: Host, applications: Mapping[str, Application], pull_accounts: Mapping[str, Account]
) -> Mapping[str, str]:
    """The registry's status when each deployed image is asked for with the account of its pull Secret."""

    def ask(name: str) -> str:
        image = applications[name].image
        return Registry(f0_15, pull_accounts[name]).status(image) if image else ""

    return parallel_map(ask, [name for name in APPLICATIONS if pull_accounts[name] != ANONYMOUS])


@pytest.fixture(scope="session")
def pull_accounts_that_push(
    f0_15: Host, applications: Mapping[str, Application], pull_accounts: Mapping[str, Account]
) -> Mapping[str, bool]:
    """Whether the account of each pull Secret may push as well."""

    def ask(name: str) -> bool:
        image = applications[name].image
        return Registry(f0_15, pull_accounts[name]).allows_push(image) if image else False

    return parallel_map(ask, [name for name in APPLICATIONS if pull_accounts[name] != ANONYMOUS])


@pytest.fixture(scope="session")
def greetings(f0_15: Host) -> Sequence[Greeting]:
    """What some clients of demo.frank.com get, each with a word of its own."""
    return ask_demo(f0_15, 5)


@pytest.fixture(scope="session")
def many_greetings(f0_15: Host) -> Sequence[Greeting]:
    """What so many clients get that each pod should have had its turn."""
    return ask_demo(f0_15, 40)


@pytest.fixture(scope="session")
def idle_pods(
    applications: Mapping[str, Application], many_greetings: Sequence[Greeting]
) -> Mapping[str, Sequence[str]]:
    """By side of the answers, the ready pods of the application that took no part in any answer."""
    sides = dict(zip(("provider", "consumer"), APPLICATIONS, strict=True))
    serving = {side: {greeting.detail(side, "pod") for greeting in many_greetings} for side in sides}
    return {side: sorted(set(applications[name].images) - serving[side]) for side, name in sides.items()}


@pytest.fixture(scope="session")
def counted_calls(f0_15: Host) -> Mapping[str, Calls]:
    """The calls that the monitor has counted of each side."""
    return count_calls(f0_15)


@pytest.fixture(scope="session")
def monitor_page(f0_15: Host) -> HttpAnswer:
    """The monitor's first page."""
    return read_monitor(f0_15)


@pytest.fixture(scope="session")
def pod_builds(
    applications: Mapping[str, Application], builds: Sequence[Build] | None
) -> Mapping[str, Mapping[str, Build | None]]:
    """By application, the build that made the image of each ready pod."""
    return {
        name: {pod: build_of(image, builds) for pod, image in application.images.items()}
        for name, application in applications.items()
    }


@pytest.fixture(scope="session")
def untraceable_pods(
    admin_registry: Registry,
    applications: Mapping[str, Application],
    pod_builds: Mapping[str, Mapping[str, Build | None]],
) -> Mapping[str, Mapping[str, Image]]:
    """By application, the ready pods whose image doesn't state the commit of its build: in its tag or in a label."""
    running = {name: application.images for name, application in applications.items()}
    labels = parallel_map(admin_registry.labels, {image for images in running.values() for image in images.values()})

    def states_commit(image: Image, build: Build | None) -> bool:
        commit = build.commit if build else ""
        statements = [image.tag.partition("_")[0], *map(str, labels[image].values())]
        return any(len(text) > 6 and commit.startswith(text) for text in statements)

    return {
        name: {pod: image for pod, image in images.items() if not states_commit(image, pod_builds[name][pod])}
        for name, images in running.items()
    }
