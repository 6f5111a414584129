"""Passwords and keys, generated for each set of hosts."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from pydantic import BaseModel, ConfigDict

from labs.engine.course.yaml_file import load_model


class _Accounts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: dict[str, str]  # name → what the account may do


def load_accounts(repo: Path) -> list[str]:
    """Return the names of the accounts that need a password (vagrant/accounts.yml).

    Raises:
        LabError: the file has problems; each is named with its line.
    """
    return list(load_model(repo / "vagrant" / "accounts.yml", _Accounts).accounts)


@dataclass(frozen=True)
class Password:
    """A password and its bcrypt hash."""

    text: str
    hash: str

    @classmethod
    def generate(cls) -> "Password":
        """Return a fresh password."""
        text = secrets.token_urlsafe(12)
        return cls(text, bcrypt.hashpw(text.encode(), bcrypt.gensalt(rounds=6)).decode())


@dataclass(frozen=True)
class Secrets:
    """What a set of hosts shares and no other set has.

    Attributes:
        ssh_public_key: the key that opens the hosts, in OpenSSH's format
        passwords: by account
        encryption_key: 32 bytes in base64: the API servers encrypt Secrets with it before they store them
    """

    ssh_public_key: str
    passwords: Mapping[str, Password]
    encryption_key: str

    @classmethod
    def generate(cls, repo: Path, ssh_public_key: str) -> "Secrets":
        """Return fresh secrets, with a password for every account of the course; LabError as `load_accounts`."""
        return cls(
            ssh_public_key.strip(),
            {name: Password.generate() for name in load_accounts(repo)},
            base64.b64encode(secrets.token_bytes(32)).decode(),
        )
