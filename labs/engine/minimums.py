"""The oldest versions and lowest limits that f0 labs works with. setup.sh sources the same file."""

from pathlib import Path

FILE = Path(__file__).with_name("minimums.env")


def minimum(name: str) -> str:
    """Return a minimum of minimums.env, such as "26" for GO_MINOR (Go 1.26).

    Raises:
        KeyError: the file has no such name.
    """
    lines = FILE.read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return values[name]
