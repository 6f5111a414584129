"""The workspace: the folder of one set of hosts, its mark, its state and its locks."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from labs.engine import ownership
from labs.engine.errors import LabError
from labs.engine.messages import _
from labs.engine.settings import Settings
from labs.engine.state import State

MARK = ".f0-labs-workspace"
_TITLE = "A workspace of f0 labs: lab.down deletes this folder."


@dataclass(frozen=True)
class Workspace:
    """One set of hosts: everything the engine writes for it is under `root`, and `lab.down` removes that folder."""

    repo: Path
    root: Path

    @classmethod
    def of(cls, repo: Path, settings: Settings) -> "Workspace":
        """Return the workspace that the settings name, or that of the checkout: `.labs` in it."""
        return cls(repo, (settings.workspace or repo / ".labs").resolve())

    # ----------------------------------------------------------------------------------------------- mark and name

    @cached_property
    def name(self) -> str:
        """A short name, unique on this machine: prefix of containers, name of the network.

        It comes from the folder's mark, so that hosts are found when the folder was moved, else from its path.

        Raises:
            LabError: this folder is a copy of a workspace that is still in its place.
        """
        name, path = self._marked()
        if path and path != self.root and _read_mark(path)[0] == name:
            raise LabError(
                "moved-workspace",
                _(
                    "{root} is a copy of the workspace {path}, and its hosts belong to the original.",
                    root=self.root,
                    path=path,
                ),
                _("Delete the copy (rm -r {root}), then run the command again.", root=self.root),
            )
        return name or f"f0labs-{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

    @property
    def was_moved(self) -> bool:
        """Whether the folder was moved since its hosts were made."""
        path = self._marked()[1]
        return path is not None and path != self.root

    def _marked(self) -> tuple[str, Path | None]:
        return _read_mark(self.root)

    def claim(self) -> None:
        """Make the folder and mark it; LabError when it holds what isn't ours."""
        name = self.name
        ownership.claim(self.root, MARK, _TITLE + "\n" + json.dumps({"name": name, "path": str(self.root)}) + "\n")

    def require_ours(self) -> None:
        """Raise LabError when the folder holds what isn't ours."""
        ownership.require_ours(self.root, MARK, _TITLE)

    def remove(self) -> None:
        """Delete the folder; LabError when it holds what isn't ours."""
        ownership.remove(self.root, MARK, _TITLE)

    # ------------------------------------------------------------------------------------------------------ files

    @property
    def record(self) -> Path:
        """Folder beside the workspace for what outlives its hosts: the grade record and the locks."""
        return self.root.with_name(f"{self.root.name}-record")

    @property
    def ssh_config(self) -> Path:
        """OpenSSH client configuration: `ssh -F .labs/ssh_config f0-13`."""
        return self.root / "ssh_config"

    @property
    def kubeconfig(self) -> Path:
        """Administrator's kubeconfig for programs on the learner's own machine."""
        return self.root / "kubeconfig"

    @property
    def hosts(self) -> Path:
        """One file tree per host: what makes f0-13 the host it is."""
        return self.root / "hosts"

    @property
    def logs(self) -> Path:
        """Logs of hosts that did not start, and of Vagrant."""
        return self.root / "logs"

    # ------------------------------------------------------------------------------------------------------ state

    @property
    def state_file(self) -> Path:
        """The state as JSON."""
        return self.root / "state.json"

    @property
    def state(self) -> State | None:
        """What is known of the hosts, None without hosts; LabError when the file is damaged."""
        try:
            return State.model_validate_json(self.state_file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise LabError(
                "state-damaged",
                _("{file} is damaged, or another version of f0 labs wrote it.", file=self.state_file),
                _("`invoke lab.reset ID` starts the lab again; `invoke lab.down` removes the hosts."),
            ) from error

    def readable_state(self) -> State | None:
        """Return the state, None also when it is damaged: for what must work all the same."""
        try:
            return self.state
        except LabError:
            return None

    def save(self, state: State) -> None:
        """Write the state in one step: a reader never sees half of it."""
        part = self.state_file.with_suffix(f".{os.getpid()}.part")
        part.write_text(state.model_dump_json(indent=2) + "\n", encoding="utf-8")
        part.replace(self.state_file)

    @contextlib.contextmanager
    def changing(self) -> Iterator[State]:
        """Give the state to change; it is saved when the block ends without an exception.

        Raises:
            LabError: there are no hosts.
        """
        from filelock import FileLock  # only where something is changed: it takes a tenth of lab.list's time

        with FileLock(self._lock("state.lock")):
            state = self.state
            if state is None:
                raise LabError("no-lab", _("No lab is up."), _("Start one: invoke lab.up flannel"))
            yield state
            self.save(state)

    # ------------------------------------------------------------------------------------------------------ locks

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other task off the hosts while they are made or removed; LabError when one is at work."""
        with self._turn("write_lock"):
            yield

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Keep the hosts from being made or removed meanwhile; LabError when they are."""
        with self._turn("read_lock"):
            yield

    @contextlib.contextmanager
    def _turn(self, kind: str) -> Iterator[None]:
        from filelock import ReadWriteLock, Timeout

        lock = ReadWriteLock(self._lock("hosts.lock"), is_singleton=False)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(getattr(lock, kind)(timeout=0))
            except Timeout:
                raise LabError(
                    "busy",
                    _("Another task is already running in this workspace."),
                    _("Wait until it has finished, then try again."),
                ) from None
            yield

    def _lock(self, name: str) -> Path:
        self.record.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.record / name


def _read_mark(root: Path) -> tuple[str, Path | None]:
    """Return the name and the path in a workspace's mark, nothing where there is none."""
    try:
        title, data = (root / MARK).read_text(encoding="utf-8").splitlines()
        mark = json.loads(data)
        return (str(mark["name"]), Path(mark["path"])) if title == _TITLE else ("", None)
    except (OSError, ValueError, KeyError, TypeError):
        return "", None
