"""Passwords and keys: new for each set of hosts, one password for each account of the course."""

import base64
from pathlib import Path

import bcrypt
import pytest

from labs.engine.errors import LabError
from labs.engine.hosts.credentials import Password, Secrets, load_accounts
from tests.engine.conftest import REPO


@pytest.fixture
def pair() -> tuple[Secrets, Secrets]:
    """The secrets of two sets of hosts."""
    return Secrets.generate(REPO, "ssh-ed25519 AAAA\n"), Secrets.generate(REPO, "ssh-ed25519 AAAA\n")


def test_a_password_fits_its_hash() -> None:
    password = Password.generate()
    assert bcrypt.checkpw(password.text.encode(), password.hash.encode())


def test_every_account_has_a_password(pair: tuple[Secrets, Secrets]) -> None:
    assert list(pair[0].passwords) == load_accounts(REPO) == ["admin", "ci", "reader", "dev"]


def test_no_password_is_used_twice(pair: tuple[Secrets, Secrets]) -> None:
    texts = {password.text for secrets in pair for password in secrets.passwords.values()}
    assert len(texts) == 2 * len(load_accounts(REPO))


def test_encryption_keys_are_new_and_have_32_bytes(pair: tuple[Secrets, Secrets]) -> None:
    one, other = (base64.b64decode(secrets.encryption_key) for secrets in pair)
    assert one != other
    assert (len(one), len(other)) == (32, 32)


def test_the_ssh_key_is_one_line(pair: tuple[Secrets, Secrets]) -> None:
    assert pair[0].ssh_public_key == "ssh-ed25519 AAAA"


def test_problems_of_the_accounts_are_reported_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "vagrant/accounts.yml"
    file.parent.mkdir()
    file.write_text("accounts:\n  admin: [everything]\n")
    with pytest.raises(LabError, match=r"vagrant/accounts\.yml:2: "):
        load_accounts(tmp_path)
