"""Looks for packets of the labs on this machine's own way out."""

import socket
import threading
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

LAB_NETWORKS = [IPv4Network(network) for network in ("192.168.157.0/24", "172.7.0.0/16", "10.254.0.0/16")]
ETH_P_IP = 0x0800
ETH_P_ALL = 0x0003  # outgoing packets as well, which a socket for one protocol does not see


def outside_interface() -> str | None:
    """The interface of the default route, None on a machine without one."""
    routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    return next((route[0] for route in routes if route[1] == "00000000"), None)


class OutsideWatch:
    """Records every IPv4 packet with a lab address, by the interface that sends or receives it. Needs CAP_NET_RAW.

    It listens on all interfaces at once: packets that it hears on the lab's own bridge prove that it would have heard
    those on the outside interface as well.
    """

    def __init__(self) -> None:
        self.interface = outside_interface()
        self.packets: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._socket: socket.socket | None = None

    def __enter__(self) -> "OutsideWatch":
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        except PermissionError:
            return self
        self._socket.settimeout(0.5)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._socket:
            self._thread.join()
            self._socket.close()

    @property
    def watching(self) -> bool:
        return self._socket is not None and self.interface is not None

    @property
    def leaked(self) -> list[str]:
        """What the outside interface sent or received of the labs."""
        return self.packets.get(str(self.interface), [])

    def _listen(self) -> None:
        assert self._socket
        while not self._stop.is_set():
            try:
                packet, (interface, protocol, *_) = self._socket.recvfrom(64)
            except TimeoutError:
                continue
            if protocol != ETH_P_IP:
                continue
            source, target = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
            if any(address in network for network in LAB_NETWORKS for address in (source, target)):
                heard = self.packets.setdefault(interface, [])
                if len(heard) < 100:  # a lab sends millions
                    heard.append(f"{source} → {target}")
