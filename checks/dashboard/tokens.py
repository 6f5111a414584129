"""Tokens that the learner keeps in files."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from checks.http_answers import json_object
from labs.engine.messages import Message, _


@dataclass(frozen=True)
class Token:
    """A token in a file of f0-13, and its claims."""

    place: str
    text: str

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        """Its claims, none if it can't be decoded. Only the API can tell whether it is genuine."""
        try:
            part = self.text.split(".")[1]
            return json_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError):  # binascii.Error is a ValueError
            return {}

    @property
    def end(self) -> datetime | None:
        """When it expires, None if it never does."""
        return datetime.fromtimestamp(self.claims["exp"], UTC) if "exp" in self.claims else None

    @property
    def is_expired(self) -> bool:
        """Whether it has expired."""
        return self.end is not None and self.end < datetime.now(UTC)

    @property
    def evidence(self) -> Message:
        """The token in a few words: where it is, whose it is, and whether it has expired."""
        token = _("the token in {place}", place=self.place)
        if "sub" in self.claims:
            token = _("the token in {place} of {owner}", place=self.place, owner=self.claims["sub"])
        if self.end and self.is_expired:
            return _("{token} (expired at {time} UTC)", token=token, time=f"{self.end:%Y-%m-%d %H:%M}")
        return token
