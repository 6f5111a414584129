"""IP addresses of names, as a host resolves them."""

from collections.abc import Mapping, Sequence

from testinfra.host import Host

from labs.engine.errors import LabError
from labs.engine.messages import _, listing

LOOK_UP = 'for name; do echo "$name $(timeout 5 getent ahostsv4 "$name" | sed -n "s/ .*//; 1p")"; done'


def look_up(host: Host, names: Sequence[str]) -> Mapping[str, str]:
    """Return the first IPv4 address of each name; empty where the host finds none."""
    output = host.run("sh -c %s sh" + " %s" * len(names), LOOK_UP, *names).stdout
    addresses = dict(line.partition(" ")[::2] for line in output.splitlines())
    return {name: addresses.get(name, "") for name in names}


def look_up_hosts(host: Host, names: Sequence[str]) -> Mapping[str, str]:
    """Return the addresses of names that the course itself gives. Raises LabError when one is missing."""
    addresses = look_up(host, names)
    missing = [name for name, address in addresses.items() if not address]
    if missing:
        raise LabError(
            "host-not-ready",
            _("{host} finds no address of {names}.", host=host.backend.hostname, names=listing(missing)),
            _("Run `invoke lab.status` to see the state of the hosts."),
        )
    return addresses
