"""Where things lie: the repository, the workspace of one set of hosts, and the cache that all workspaces share."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path


@dataclass(frozen=True)
class Workspace:
    """One set of hosts: everything the engine writes for it is under `root`, and `lab.down` removes that folder."""

    repo: Path
    root: Path

    @classmethod
    def of(cls, repo: Path) -> "Workspace":
        """Return the workspace of a checkout: `.labs` in it, or the folder that F0_WORKSPACE names."""
        return cls(repo, Path(os.environ.get("F0_WORKSPACE", repo / ".labs")).resolve())

    @property
    def name(self) -> str:
        """A short name, unique on this machine for this folder: prefix of containers, name of the network."""
        return f"f0labs-{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

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
        """One file tree a host: what makes f0-13 the host it is."""
        return self.root / "hosts"

    @property
    def logs(self) -> Path:
        """Logs of hosts that did not come up, and of Vagrant."""
        return self.root / "logs"

    def read_state(self) -> dict[str, Any]:
        """Return what `lab.up` noted about the running hosts, `{}` when nothing is up."""
        file = self.root / "state.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Note the state in one step: a reader never sees half of it."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.root / "state.json.part"
        part.write_text(json.dumps(state, indent=2) + "\n")
        part.replace(self.root / "state.json")


def free_disk() -> int:
    """Return how many bytes are free where the cache is, or will be."""
    folder = cache_dir()
    return shutil.disk_usage(next(path for path in [folder, *folder.parents] if path.exists())).free


def cache_dir() -> Path:
    """Return the folder for what is built once and used by every workspace (F0_CACHE, else the user's cache)."""
    return Path(os.environ.get("F0_CACHE") or user_cache_path("f0-labs"))
