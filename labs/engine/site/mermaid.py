"""MkDocs hook: the study site carries its own copy of Mermaid, which draws the diagrams without a network."""

import functools
import hashlib
import io
import logging
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

sys.path.append(str(Path(__file__).parents[3]))  # MkDocs loads this file alone, and restores the path afterwards
from labs.engine.workspace import cache_dir

PACKAGE = "@mermaid-js/tiny@11.17.2"
SHA512 = "PmFr1c5cSfNf5AngLLR98DrbvR4U5KeD7I+hQkGqG5w5Veu3QT4dG0qu9f99cpn/sKj2XxRBK0q7EL6hr9NY/A=="
PACK = ("npm", "pack", "--silent", "--ignore-scripts", "--fetch-retries=0", PACKAGE)
SCRIPT, LICENCE = "assets/mermaid.min.js", "assets/mermaid-license.txt"


@functools.cache
def mermaid(cache: Path) -> dict[str, bytes]:
    """Return Mermaid's script and licence by their place on the site: from the cache, else by npm, else none."""
    kept = cache / "docs" / f"{PACKAGE.replace('/', '-')}.tgz"
    package = kept.read_bytes() if kept.exists() else b""
    try:
        if b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run(PACK, cwd=folder, check=True, capture_output=True, timeout=60)
                package = b"".join(file.read_bytes() for file in Path(folder).glob("*.tgz"))
            if b64encode(hashlib.sha512(package).digest()).decode() != SHA512:
                raise ValueError(f"npm's {PACKAGE} is not the one that is known")
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(package)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        logging.getLogger("mkdocs.hooks").info("No copy of Mermaid, readers fetch it from Material's CDN: %s", error)
        return {}
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        inside = {SCRIPT: "package/dist/mermaid.tiny.js", LICENCE: "package/LICENSE"}
        return {place: part.read() for place, name in inside.items() if (part := archive.extractfile(name))}


def on_config(config: MkDocsConfig) -> None:
    """Let every page load the copy, if there is one."""
    if mermaid(cache_dir()) and SCRIPT not in config.extra_javascript:
        config.extra_javascript.append(SCRIPT)


@event_priority(-200)  # after the languages' plugin, which takes every file for one of docs/
def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the copy and its licence to the site."""
    for place, content in mermaid(cache_dir()).items():
        files.append(File.generated(config, place, content=content))
