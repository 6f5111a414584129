"""The lab network as this machine sees it."""

import socket
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network

from labs.engine.errors import LabError
from labs.engine.messages import _


def check_network(network: IPv4Network, ours: str) -> None:
    """Raise LabError when an interface of this machine has an address of the lab network.

    Interfaces whose name matches the pattern `ours` don't count.
    """
    import psutil  # only where hosts are started

    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if (
                address.family == socket.AF_INET
                and IPv4Address(address.address) in network
                and not fnmatchcase(name, ours)
            ):
                raise network_in_use(network, f"{name}: {address.address}")


def network_in_use(network: IPv4Network, reason: str) -> LabError:
    """Return the error for a lab network whose addresses are taken; `reason` is a program's own output."""
    return LabError(
        "network-in-use",
        _("Something else on this machine uses the lab network {network} ({reason}).", network=network, reason=reason),
        _("Choose another one (invoke lab.up ID --network 192.168.57.0/24), or run lab.down in the other checkout."),
    )
