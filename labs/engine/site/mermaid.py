"""The study site's own copy of Mermaid, which draws the diagrams without a network."""

import functools
import hashlib
import io
import logging
import subprocess
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

from labs.engine.cache import Cache
from labs.engine.errors import LabError

PACKAGE = "@mermaid-js/tiny@11.17.2"
SHA512 = "PmFr1c5cSfNf5AngLLR98DrbvR4U5KeD7I+hQkGqG5w5Veu3QT4dG0qu9f99cpn/sKj2XxRBK0q7EL6hr9NY/A=="
PACK = ("npm", "pack", "--silent", "--ignore-scripts", "--fetch-retries=0", PACKAGE)
SCRIPT, LICENSE = "assets/mermaid.min.js", "assets/mermaid-license.txt"


@functools.cache
def mermaid(cache: Cache) -> dict[str, bytes]:
    """Return Mermaid's script and license by path on the site, from the cache or npm; empty when neither has it."""
    kept = cache.root / "docs" / f"{PACKAGE.replace('/', '-')}.tgz"
    package = kept.read_bytes() if kept.exists() else b""
    try:
        if not _is_genuine(package):
            package = _packed_by_npm()
            cache.claim()
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(package)
    except (OSError, subprocess.SubprocessError, ValueError, LabError) as error:
        logging.getLogger("mkdocs.hooks").info("No copy of Mermaid; readers load it from Material's CDN: %s", error)
        return {}
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        inside = {SCRIPT: "package/dist/mermaid.tiny.js", LICENSE: "package/LICENSE"}
        return {place: part.read() for place, name in inside.items() if (part := archive.extractfile(name))}


def _packed_by_npm() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(PACK, cwd=folder, check=True, capture_output=True, timeout=60)
        package = b"".join(file.read_bytes() for file in Path(folder).glob("*.tgz"))
    if not _is_genuine(package):
        raise ValueError(f"npm's {PACKAGE} doesn't have the expected checksum")
    return package


def _is_genuine(package: bytes) -> bool:
    return b64encode(hashlib.sha512(package).digest()).decode() == SHA512
