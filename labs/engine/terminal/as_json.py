"""Results as JSON for programs: every text in both languages."""

import dataclasses
import json
from typing import Any

from labs.engine.messages import Sentence


def to_json(value: Any) -> str:
    """Return plain data, dataclasses and sentences as JSON; a sentence becomes `{"en": …, "zh": …}`."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def _plain(value: object) -> object:
    if isinstance(value, Sentence):
        return {"en": value.of("en"), "zh": value.of("zh")}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")
