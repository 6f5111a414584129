"""The providers by name."""

from collections.abc import Callable
from importlib import import_module

from labs.engine.course.topology import Topology
from labs.engine.errors import LabError
from labs.engine.hosts.provider import Provider
from labs.engine.messages import _, listing
from labs.engine.nearest import nearest
from labs.engine.settings import Settings
from labs.engine.workspace import Workspace

DEFAULT = "docker"
# Loaded when used: a task that needs no hosts should not wait for the libraries of each.
_FACTORIES = {
    "docker": "labs.engine.hosts.docker.provider",
    "libvirt": "labs.engine.hosts.vagrant.provider",
    "virtualbox": "labs.engine.hosts.vagrant.provider",
}


def choose_provider(wanted: str | None, settings: Settings) -> str:
    """Return the name of the provider to use: the one asked for, else that of the settings, else the default.

    Raises:
        LabError: there is no provider of that name.
    """
    name = wanted or settings.provider or DEFAULT
    if name not in _FACTORIES:
        raise LabError(
            "unknown-name",
            _("There is no provider '{name}'.{suggestion}", name=name, suggestion=nearest(name, _FACTORIES)),
            _("The providers are {names}.", names=listing(_FACTORIES)),
        )
    return name


def make_provider(name: str, workspace: Workspace, topology: Topology, settings: Settings) -> Provider:
    """Return the provider of that name for the hosts of a workspace."""
    make: Callable[[str, Workspace, Topology, Settings], Provider] = import_module(_FACTORIES[name]).make
    return make(name, workspace, topology, settings)


def all_providers(workspace: Workspace, topology: Topology, settings: Settings) -> list[Provider]:
    """Return every provider, for when it isn't known which one made the hosts."""
    return [make_provider(name, workspace, topology, settings) for name in _FACTORIES]
