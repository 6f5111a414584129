"""The hosts, their roles and their addresses (vagrant/topology.yml)."""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labs.engine.course.lab_files import find
from labs.engine.course.yaml_file import YamlFile, load_model
from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.nearest import nearest


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Host(_Model):
    """A host: `number` is the last octet of its address, and the third of its pods' network.

    It has the `optional_roles` only for the labs that need them.
    """

    name: str = Field(pattern=r"^f0-\d+$")
    number: int = Field(ge=2, le=254)
    original: str
    roles: list[str]
    optional_roles: list[str] = []
    memory: int = Field(description="MiB, for virtual machines", ge=256)
    cpus: int = Field(ge=1)


class Vip(_Model):
    """The virtual IP that the proxies share, and the port of the API servers behind it."""

    name: str
    number: int
    port: int


class ServiceAddresses(_Model):
    """Service addresses that are fixed in advance."""

    api: IPv4Address
    dns: IPv4Address


class Published(_Model):
    """A port of a host that this machine's loopback offers under `name`."""

    host: str
    port: int
    name: str


class Topology(_Model):
    """All hosts and networks. `interface` is the hosts' network interface in the lab network."""

    domain: str
    network: IPv4Network
    vip: Vip
    pods: IPv4Network
    services: IPv4Network
    service_addresses: ServiceAddresses
    hosts: list[Host]
    aliases: dict[str, str]
    first_port: int
    published: list[Published]
    interface: str

    @model_validator(mode="after")
    def _consistent(self) -> "Topology":
        names = [host.name for host in self.hosts]
        numbers = [host.number for host in self.hosts]
        unknown = sorted({*self.aliases.values(), *(p.host for p in self.published)} - set(names))
        problems = [f"no host is named {name}" for name in unknown]
        if len(set(names)) < len(names) or len({*numbers, self.vip.number}) <= len(numbers):
            problems.append("two hosts share a name or a number (the VIP's number counts)")
        if self.network.prefixlen != 24:
            problems.append(f"the lab network must be a /24, not {self.network}")
        if self.network.overlaps(self.pods) or self.network.overlaps(self.services):
            problems.append(f"the lab network {self.network} overlaps the pods' or the Services' network")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def with_optional_roles(self, roles: Collection[str]) -> "Topology":
        """Return the same hosts, with those of `roles` that are optional on them."""
        hosts = [
            host.model_copy(update={"roles": [*host.roles, *(role for role in host.optional_roles if role in roles)]})
            for host in self.hosts
        ]
        return self.model_copy(update={"hosts": hosts})

    def in_network(self, network: str | None) -> "Topology":
        """Return the same hosts in another lab network, or in this one for None.

        Raises:
            LabError: the text is not a network that the hosts can use.
        """
        if not network:
            return self
        try:
            return Topology.model_validate({**self.model_dump(), "network": network})
        except ValueError as error:
            raise LabError(
                "network-invalid",
                _("'{network}' can't be the lab network.", network=network),
                _("It must be a /24 that overlaps neither pods nor Services, such as 192.168.57.0/24."),
            ) from error

    @property
    def optional_roles(self) -> set[str]:
        """The roles that a lab may need."""
        return {role for host in self.hosts for role in host.optional_roles}

    @property
    def prefix(self) -> int:
        """Length of the lab network's prefix."""
        return self.network.prefixlen

    @property
    def vip_address(self) -> IPv4Address:
        """Address of the API servers."""
        return self.network[self.vip.number]

    @property
    def reverse_zone(self) -> str:
        """Name of the zone with the hosts' PTR records, without a final dot."""
        return ".".join(reversed(str(self.network.network_address).split(".")[:3])) + ".in-addr.arpa"

    @property
    def names(self) -> list[str]:
        """Names of the hosts, in order."""
        return [host.name for host in self.hosts]

    def on_loopback(self, page: str, ports: Mapping[str, Mapping[str, int]]) -> str | None:
        """Return where a page of the course is found on this machine, None when its port is not published.

        `http://whoami.frank.com/` is `http://whoami.frank.localhost:42206/`: browsers look for names under .localhost
        on the machine itself, and the web servers treat both names alike. An alias of a host leads to that host, any
        other name to the first proxy.
        """
        url = urlsplit(page)
        wanted = 443 if url.scheme == "https" else 80
        name = (url.hostname or "").removesuffix(f".{self.domain}")
        host = self.aliases.get(name, self.with_role("proxy").name)
        names = (port.name for port in self.published if (port.host, port.port) == (host, wanted))
        port = ports.get(host, {}).get(next(names, ""))
        return f"{url.scheme}://{name}.{self.browser_domain}:{port}{url.path}" if port else None

    @property
    def browser_domain(self) -> str:
        """The domain's other name, `frank.localhost`, which browsers look for on their own machine."""
        return f"{self.domain.partition('.')[0]}.localhost"

    def host(self, name: str) -> Host:
        """Return the host of that name; LabError when there is none."""
        return find({host.name: host for host in self.hosts}, name, _("host '{name}'", name=name))

    def address(self, name: str) -> IPv4Address:
        """Return a host's address in the lab network."""
        return self.network[self.host(name).number]

    def pod_subnet(self, name: str) -> IPv4Network:
        """Return the /24 that a node's pods live in: third octet = the host's number."""
        return list(self.pods.subnets(new_prefix=24))[self.host(name).number]

    def gateway(self, name: str) -> str:
        """Return the bridge address of a host's own containers with its prefix, `172.7.15.1/24`."""
        subnet = self.pod_subnet(name)
        return f"{subnet[1]}/{subnet.prefixlen}"

    def all_with_role(self, role: str) -> list[Host]:
        """Return the hosts that have a role."""
        return [host for host in self.hosts if role in host.roles]

    def with_role(self, role: str) -> Host:
        """Return the first host that has a role."""
        return self.all_with_role(role)[0]


def load_topology(repo: Path) -> Topology:
    """Read vagrant/topology.yml; LabError lists every problem with its line."""
    roles = {folder.name for folder in (repo / "vagrant" / "roles").glob("*")}
    return load_model(
        repo / "vagrant" / "topology.yml", Topology, check=lambda file, loaded: _check_roles(file, loaded, roles)
    )


def _check_roles(file: YamlFile, topology: Topology, roles: set[str]) -> None:
    """Report the roles that have no folder: their hosts would silently lack them."""
    for host, (place, __) in zip(topology.hosts, file.items(("hosts",)), strict=True):
        for role in sorted({*host.roles, *host.optional_roles} - roles):
            file.problem(place, f"{host.name} has the unknown role '{role}'.{nearest(role, roles)}")
