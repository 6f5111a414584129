"""ZooKeeper: the members of the ensemble, and the list of providers."""

import base64
import re
import struct
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from testinfra.host import Host

MEMBERS = ("f0-11", "f0-12", "f0-13")
PROVIDERS = "/dubbo/com.frank.demo.api.GreetingService/providers"

# Types of requests and error codes: ZooDefs.java and KeeperException.java of ZooKeeper 3.9.
GET_CHILDREN, CLOSE_SESSION = 8, -11
OK, NO_NODE = 0, -101

# Without a newline: the server closes the connection after four letters, and a byte left unread would reset it.
SRVR = "printf srvr | timeout 5 nc -w 2 %s 2181"
SEND = "echo %s | base64 -d | timeout 5 nc -w 3 %s 2181"


def mode(host: Host, member: str) -> str:
    """Return what a member says it is: leader, follower or standalone; empty if it doesn't say."""
    match = re.search(r"^Mode: (\w+)", host.run(SRVR, member).stdout, re.M)
    return match[1] if match else ""


def provider_addresses(host: Host, member: str) -> Sequence[str] | None:
    """Return the sorted addresses of the providers that ZooKeeper lists; None if the member doesn't serve requests.

    ZooKeeper's own command line starts a Java machine for that, which takes a second.
    """
    reply = host.run(SEND, base64.b64encode(children_request(PROVIDERS)).decode(), member).stdout_bytes
    entries = parse_children(reply)
    if entries is None:
        return None
    urls = (unquote(entry) for entry in entries)
    return sorted(urlsplit(url).hostname or url for url in urls)


def children_request(path: str) -> bytes:
    """Return a session as a client sends it: connect, ask for a node's children, close."""
    name = path.encode()
    packets = (
        struct.pack(">iqiqi16s", 0, 0, 4000, 0, 16, b""),  # version, last zxid, timeout in ms, session, password
        struct.pack(">iii", 1, GET_CHILDREN, len(name)) + name + b"\0",  # watch: no
        struct.pack(">ii", 2, CLOSE_SESSION),
    )
    return b"".join(struct.pack(">i", len(packet)) + packet for packet in packets)


def parse_children(reply: bytes) -> Sequence[str] | None:
    """Return the children in the reply to such a session, none if the node doesn't exist; None if it isn't a reply."""
    try:
        (length,) = struct.unpack_from(">i", reply)
        _length, _xid, _zxid, error = struct.unpack_from(">iiqi", reply, 4 + length)
        if error != OK:
            return [] if error == NO_NODE else None
        offset = 4 + length + 20
        (count,) = struct.unpack_from(">i", reply, offset)
        children, offset = [], offset + 4
        for _child in range(count):
            (size,) = struct.unpack_from(">i", reply, offset)
            children.append(reply[offset + 4 : offset + 4 + size].decode())
            offset += 4 + size
    except struct.error:
        return None
    return children
