"""What the user's environment sets: read once, in tasks.py, and passed down."""

import os
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from labs.engine.errors import LabError
from labs.engine.messages import _, language

DEFAULT_CACHE = user_cache_path("f0-labs")


class Settings(BaseModel):
    """The settings of one session. Folders are absolute.

    Attributes:
        workspace: folder of the hosts' files; None for `.labs` in the checkout
        cache: folder of what is built once
        network: the lab network, a /24; None for the one in topology.yml
        provider: what makes the hosts; None for the default
        bundle: the file that stands in for registries; None for none
        keep_build_cache: whether Go's and Maven's caches stay after a build
        language: "en" or "zh"
    """

    model_config = ConfigDict(frozen=True)

    workspace: Path | None = None
    cache: Path = DEFAULT_CACHE
    network: str | None = None
    provider: str | None = None
    bundle: Path | None = None
    keep_build_cache: bool = False
    language: str = Field(default="en", pattern="^(en|zh)$")

    @field_validator("workspace", "cache", "bundle")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None


def read_settings() -> Settings:
    """Return the settings in this process's F0_* variables and locale. An empty variable counts as unset.

    Raises:
        LabError: a variable has a value that can't be used.
    """
    try:
        return Settings(**_Variables().model_dump(exclude_unset=True), language=language(os.environ))
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"F0_{wrong['loc'][0]}".upper()
        raise LabError("usage", _("{name} can't be used: {why}.", name=name, why=wrong["msg"])) from error


class _Variables(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="F0_", env_ignore_empty=True)

    workspace: Path | None = None
    cache: Path | None = None
    network: str | None = None
    provider: str | None = None
    bundle: Path | None = None
    keep_build_cache: bool = False
