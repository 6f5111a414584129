"""What this machine has, and lacks, for the course."""

from collections.abc import Sequence

from labs.engine.cache import Cache
from labs.engine.course.course import Course, load_course
from labs.engine.course.edition import GoComponent
from labs.engine.errors import LabError
from labs.engine.hosts import resources
from labs.engine.hosts.provider import Finding
from labs.engine.hosts.providers import choose_provider, make_provider
from labs.engine.hosts.resources import probe
from labs.engine.messages import REPO, Message, Sentence, _, listing
from labs.engine.settings import Settings
from labs.engine.software.builders.go import find_go
from labs.engine.software.components import Builder
from labs.engine.workspace import Workspace


def examine(settings: Settings) -> Sequence[Finding]:
    """Return what every probe of this machine found; never raises for what it finds."""
    try:
        course = load_course(REPO)
    except LabError as error:
        return [Finding(_("Course files"), error.message, error)]
    topology = course.topology
    findings = [
        probe(_("Course files"), lambda: _course(course, settings)),
        probe(_("Cache"), lambda: _cache(settings)),
        probe(_("Components"), lambda: _components(course, settings)),
    ]
    try:
        name = choose_provider(None, settings)
    except LabError as error:
        return [*findings, Finding(_("Provider"), error.message, error)]
    provider = make_provider(name, Workspace.of(REPO, settings), topology, settings)
    mode = (
        _("mode ipvs")
        if provider.facts().ip_vs
        else _("mode iptables: the hosts' kernel has no ip_vs, which the blog's cluster used")
    )
    return [*findings, *provider.check(), resources.inotify(), Finding(_("kube-proxy"), mode)]


def _course(course: Course, settings: Settings) -> Sentence:
    network = course.topology.in_network(settings.network).network
    return _(
        "{labs} labs, {hosts} hosts in {network}",
        labs=len(course.catalog.labs),
        hosts=len(course.topology.hosts),
        network=network,
    )


def _cache(settings: Settings) -> Sentence:
    cache = Cache(settings.cache)
    cache.claim()
    return Message("{folder}", {"folder": cache.root})


def _components(course: Course, settings: Settings) -> Sentence:
    edition = course.edition
    missing = Builder(course.repo, Cache(settings.cache), edition).missing(list(edition.components))
    if not missing:
        return _("all built")
    names = listing(missing)
    if any(isinstance(edition.component(name), GoComponent) for name in missing):
        return _("still to be built: {names}, with {go}", names=names, go=find_go())
    return _("still to be built: {names}", names=names)
