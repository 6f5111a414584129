"""Stand-ins for what is outside the engine: a Docker engine, its containers, and hosts that answer over SSH."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from labs.engine.hosts.remote import Outcome


@dataclass
class FakeContainer:
    """A host's container, in a state of Docker's."""

    name: str
    status: str = "running"
    used: dict[str, Any] | Exception = field(default_factory=lambda: {"usage": 64 << 20})

    def logs(self, tail: int) -> bytes:
        return b"exec /sbin/init: no such file\n"

    def stats(self, stream: bool, **_: object) -> dict[str, Any]:
        assert not stream
        if isinstance(self.used, Exception):
            raise self.used
        return {"memory_stats": self.used}


@dataclass
class FakeImages:
    """Docker's images. A pull is refused; a build or an import makes one."""

    tags: set[str] = field(default_factory=set)
    built: list[str] = field(default_factory=list)
    contexts: dict[str, dict[str, str]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    refusal: Exception | None = None
    build_error: Exception | None = None

    def get(self, tag: str) -> "FakeImage":
        if tag not in self.tags:
            raise ImageNotFound(f"No such image: {tag}")
        return FakeImage([tag])

    def pull(self, repository: str, tag: str) -> "FakeImage":
        if self.refusal:
            raise self.refusal
        return FakeImage([f"{repository}:{tag}"], self)

    def build(self, path: str, tag: str, **_: object) -> None:
        if self.build_error:
            raise self.build_error
        self.built.append(tag)
        files = [file for file in Path(path).rglob("*") if file.is_file()]
        self.contexts[tag] = {str(file.relative_to(path)): file.read_text() for file in files}
        self.tags.add(tag)

    def list(self, repository: str) -> list["FakeImage"]:
        return [FakeImage([tag]) for tag in sorted(self.tags) if tag.startswith(f"{repository}:")]

    def load(self, file: Any) -> None:
        self.tags.add(file.read().decode())

    def remove(self, tag: str, **_: object) -> None:
        self.removed.append(tag)
        self.tags.discard(tag)


@dataclass
class FakeImage:
    """An image; its archive holds nothing but its tag."""

    tags: list[str]
    owner: FakeImages | None = None

    def tag(self, repository: str, tag: str) -> None:
        assert self.owner
        self.owner.tags.add(f"{repository}:{tag}")

    def save(self, named: object) -> Iterator[bytes]:
        yield self.tags[0].encode()


@dataclass
class FakeList:
    """Docker's containers or networks."""

    found: list[Any] = field(default_factory=list)

    def list(self, filters: Mapping[str, str] | None = None, **_: object) -> list[Any]:
        status = (filters or {}).get("status")
        return [one for one in self.found if not status or one.status == status]


@dataclass
class FakeDocker:
    """A Docker engine."""

    images: FakeImages = field(default_factory=FakeImages)
    containers: FakeList = field(default_factory=FakeList)
    networks: FakeList = field(default_factory=FakeList)
    imported: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def api(self) -> "FakeDocker":
        return self

    def import_image_from_file(self, file: str, repository: str, tag: str) -> None:
        self.imported.append((file, repository, tag))
        self.images.tags.add(f"{repository}:{tag}")

    def version(self) -> dict[str, str]:
        return {"Version": "99.9"}


@dataclass
class FakeRemote:
    """Hosts that note what they are told, and answer what `answers` has for (host, script)."""

    answers: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    ran: list[tuple[str, str]] = field(default_factory=list)
    wrote: list[tuple[str, str, str]] = field(default_factory=list)

    def __enter__(self) -> "FakeRemote":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, host: str, script: str, seconds: float = 300) -> Outcome:
        self.ran.append((host, script))
        return self.answers.get((host, script), Outcome(host, 0, "running\n"))

    def run_everywhere(self, hosts: Collection[str], script: str, seconds: float = 300) -> list[Outcome]:
        return [self.run(host, script, seconds) for host in hosts]

    def write(self, hosts: Collection[str], path: str, content: str) -> list[Outcome]:
        self.wrote += [(host, path, content) for host in hosts]
        return [self.answers.get((host, path), Outcome(host, 0, "")) for host in hosts]
