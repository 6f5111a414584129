"""Looks for packets of the labs on this machine's own way out."""

import socket
import threading
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

LAB_NETWORKS = [IPv4Network(network) for network in ("192.168.157.0/24", "172.7.0.0/16", "10.254.0.0/16")]
ETH_P_IP = 0x0800


def outside_interface() -> str | None:
    """The interface of the default route, None on a machine without one."""
    routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    return next((route[0] for route in routes if route[1] == "00000000"), None)


class OutsideWatch:
    """Records every IPv4 packet of a lab address that the outside interface sends or gets. Needs root (CAP_NET_RAW)."""

    def __init__(self) -> None:
        self.interface = outside_interface()
        self.leaked: list[str] = []
        self.seen = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._socket: socket.socket | None = None

    def __enter__(self) -> "OutsideWatch":
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        except PermissionError:
            return self
        self._socket.bind((self.interface or "lo", ETH_P_IP))
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

    def _listen(self) -> None:
        assert self._socket
        while not self._stop.is_set():
            try:
                packet = self._socket.recv(64)
            except TimeoutError:
                continue
            self.seen += 1
            source, target = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
            if any(address in network for network in LAB_NETWORKS for address in (source, target)):
                self.leaked.append(f"{source} → {target}")
