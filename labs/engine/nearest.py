"""Suggestions for names that were mistyped."""

import difflib
from collections.abc import Iterable

from labs.engine.messages import Message, _


def nearest(word: str, known: Iterable[str]) -> Message:
    """Return " Did you mean 'flannel'?" for 'flanel', an empty message when no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return _(" Did you mean '{name}'?", name=close[0]) if close else Message("")
