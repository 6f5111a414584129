"""The lab's registry, as those see it who know one password or another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.host import Host

from checks.answers import json_object

HARBOR = "harbor.frank.com"
CURL = "timeout 10 curl -s --connect-timeout 2 -m 8"
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
    """An image as a pod names it: registry, repository and tag."""

    reference: str

    @property
    def registry(self) -> str:
        """Where it is from."""
        return self.reference.partition("/")[0]

    @property
    def repository(self) -> str:
        """Its name there."""
        return self.reference.partition("/")[2].partition(":")[0]

    @property
    def tag(self) -> str:
        """Its tag; "latest" where none is named."""
        return self.reference.partition("/")[2].partition(":")[2] or "latest"

    def __str__(self) -> str:
        return self.reference


class Registry:
    """The registry, as those see it who know one password or another."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @cached_property
    def admin(self) -> str:
        """The administrator, `user:password`."""
        return f"admin:{self._host.check_output('cat /etc/docker/registry/password').strip()}"

    @cached_property
    def answers(self) -> bool:
        """Whether the registry lets its administrator in."""
        return self._get("/v2/")[0] == "200"

    @cached_property
    def base_images(self) -> list[Image]:
        """The images of the project base/ that can be had in full."""
        listed = json_object(self._get("/v2/_catalog?n=1000")[1]).get("repositories") or []
        found = []
        for name in (str(one) for one in listed if str(one).startswith("base/")):
            tags = json_object(self._get(f"/v2/{name}/tags/list")[1]).get("tags") or []
            found += [Image(f"{HARBOR}/{name}:{tag}") for tag in tags]
        return [image for image in found if self.status(image, self.admin) == "200"]

    def status(self, image: Image, user: str) -> str:
        """What those get who ask for an image; `user` is `user:password`, or empty for somebody unknown."""
        return self._get(f"/v2/{image.repository}/manifests/{image.tag}", user)[0]

    def lets_write(self, image: Image, user: str) -> bool:
        """Whether somebody may begin to put something beside an image. What was begun is called off."""
        headers = self._curl(user, "-X", "POST", "-D", "-", "-o", "/dev/null", f"/v2/{image.repository}/blobs/uploads/")
        place = re.search(r"^location: https?://[^/]+(/\S+)", headers, re.M | re.I)
        if place:
            self._curl(user, "-X", "DELETE", "-o", "/dev/null", place[1])
        return bool(re.match(r"HTTP/\S+ 202", headers))

    def labels(self, image: Image) -> Mapping[str, Any]:
        """What an image says of itself."""
        manifest = json_object(self._get(f"/v2/{image.repository}/manifests/{image.tag}")[1])
        digest = manifest.get("config", {}).get("digest", "none")
        blob = self._curl(self.admin, "-L", f"/v2/{image.repository}/blobs/{digest}")
        return json_object(blob).get("config", {}).get("Labels") or {}

    def _get(self, path: str, user: str | None = None) -> tuple[str, str]:
        said = self._curl(
            self.admin if user is None else user, "-w", r"\n%{http_code}", "-H", f"Accept: {MANIFESTS}", path
        )
        body, _, status = said.rpartition("\n")
        return status, body

    def _curl(self, user: str, *arguments: str) -> str:
        *words, path = arguments
        told = [*(["-u", user] if user else []), *words, f"https://{HARBOR}{path}"]
        return str(self._host.run(CURL + " %s" * len(told), *told).stdout)
