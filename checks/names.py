"""Names and addresses of the course that the checks of several labs need."""

HOSTS = ("f0-11", "f0-12", "f0-13", "f0-14", "f0-15")
PROXIES = ("f0-11", "f0-12")
NODES = ("f0-13", "f0-14")
OTHER_NODE = {"f0-13": "f0-14", "f0-14": "f0-13"}

REGISTRY = "harbor.frank.com"
VIRTUAL_IP = "f0-api.frank.com"  # the name of the IP address that one of the proxies holds
INGRESS_PORT = 81  # where Traefik listens on each node


def probe(node: str) -> str:
    """Return the name of the probe pod on a node; it is in the namespace kube-system."""
    return f"probe-{node}"
