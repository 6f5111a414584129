"""Addresses of the lab network that this machine uses already."""

from ipaddress import IPv4Network

import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.network import check_network

LOOPBACK = IPv4Network("127.0.0.0/24")


def test_a_network_that_this_machine_is_in_is_refused_with_the_interface() -> None:
    with pytest.raises(LabError) as raised:
        check_network(LOOPBACK, ours="f0labs-course")
    assert raised.value.code == "network-in-use"
    assert str(raised.value) == "Something else on this machine uses the lab network 127.0.0.0/24 (lo: 127.0.0.1)."
    assert "invoke lab.up ID --network 192.168.57.0/24" in str(raised.value.hint)


def test_a_network_that_no_interface_is_in_is_free() -> None:
    check_network(IPv4Network("192.168.213.0/24"), ours="f0labs-course")


@pytest.mark.parametrize("ours", ["lo", "l*"])
def test_our_interface_does_not_count(ours: str) -> None:
    check_network(LOOPBACK, ours=ours)


def test_an_empty_pattern_matches_no_interface() -> None:
    with pytest.raises(LabError):
        check_network(LOOPBACK, ours="")
