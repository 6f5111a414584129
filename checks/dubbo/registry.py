"""The lab's registry as its accounts see it. Nothing is ever written to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testinfra.host import Host

from checks.http_answers import json_object
from checks.names import REGISTRY
from checks.parallel import parallel_map

CURL = "timeout 10 curl -s --connect-timeout 2 -m 8"
NO_ENTRY = ("401", "403")
NO_DIGEST = f"sha256:{64 * '0'}"
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.manifest.v1",
        "oci.image.index.v1",
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
    )
)


@dataclass(frozen=True)
class Image:
    """An image by its name: registry, repository and tag."""

    reference: str

    @property
    def registry(self) -> str:
        """The registry it comes from."""
        return self.reference.partition("/")[0]

    @property
    def repository(self) -> str:
        """Its repository in the registry."""
        return self.reference.partition("/")[2].partition(":")[0]

    @property
    def tag(self) -> str:
        """Its tag; "latest" by default."""
        return self.reference.partition("/")[2].partition(":")[2] or "latest"

    def __str__(self) -> str:
        return self.reference


@dataclass(frozen=True)
class Account:
    """A user of the registry; both empty for a client that shows no password."""

    name: str = ""
    password: str = ""

    @classmethod
    def parse(cls, credentials: str) -> "Account":
        """Return the account in `user:password`."""
        name, _colon, password = credentials.partition(":")
        return cls(name, password)


ANONYMOUS = Account()


class Registry:
    """The registry, asked from a host with an account."""

    def __init__(self, host: Host, account: Account = ANONYMOUS) -> None:
        self._host, self._account = host, account

    def accepts_account(self) -> bool:
        """Whether the registry accepts the account's password."""
        return self._get("/v2/")[0] == "200"

    def images_of(self, project: str) -> Sequence[Image]:
        """Return the images of a project that can be pulled."""
        listed = json_object(self._get("/v2/_catalog?n=1000")[1]).get("repositories") or []
        names = [str(name) for name in listed if str(name).startswith(f"{project}/")]
        tags = parallel_map(lambda name: json_object(self._get(f"/v2/{name}/tags/list")[1]).get("tags") or [], names)
        images = [Image(f"{REGISTRY}/{name}:{tag}") for name in names for tag in tags[name]]
        statuses = self.statuses(images)
        return [image for image in images if statuses[image] == "200"]

    def statuses(self, images: Iterable[Image]) -> Mapping[Image, str]:
        """Return the status that the registry answers when each image is asked for."""
        return parallel_map(self.status, images)

    def status(self, image: Image) -> str:
        """Return the status that the registry answers when an image is asked for."""
        return self._get(f"/v2/{image.repository}/manifests/{image.tag}")[0]

    def allows_push(self, image: Image) -> bool:
        """Whether the account may push an image to a repository. Nothing is written.

        The request is the one that completes a push, but without a manifest and with a digest that no content has. The
        registry decides first whether the account may write (401 or 403 if not), and then rejects the manifest (400).
        """
        path = f"/v2/{image.repository}/manifests/{NO_DIGEST}"
        status = self._curl("-X", "PUT", "-H", "Content-Length: 0", "-o", "/dev/null", "-w", "%{http_code}", path)
        return status not in (*NO_ENTRY, "405", "000")

    def labels(self, image: Image) -> Mapping[str, Any]:
        """Return the labels of an image."""
        manifest = json_object(self._get(f"/v2/{image.repository}/manifests/{image.tag}")[1])
        digest = manifest.get("config", {}).get("digest", "none")
        blob = self._curl("-L", f"/v2/{image.repository}/blobs/{digest}")
        return json_object(blob).get("config", {}).get("Labels") or {}

    def _get(self, path: str) -> tuple[str, str]:
        output = self._curl("-w", r"\n%{http_code}", "-H", f"Accept: {MANIFESTS}", path)
        body, _line, status = output.rpartition("\n")
        return status, body

    def _curl(self, *arguments: str) -> str:
        *options, path = arguments
        account = self._account
        user = ["-u", f"{account.name}:{account.password}"] if account != ANONYMOUS else []
        words = [*user, *options, f"https://{REGISTRY}{path}"]
        return str(self._host.run(CURL + " %s" * len(words), *words).stdout)


def read_admin(host: Host) -> Account:
    """Return the administrator's account, whose password f0-15 has."""
    return Account("admin", host.check_output("cat /etc/docker/registry/password").strip())
