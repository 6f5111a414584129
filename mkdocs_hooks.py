"""Hooks of the study site. MkDocs loads this file by its path and finds modules beside it, so it must lie here."""

from labs.engine.site.hooks import on_config, on_files

__all__ = ["on_config", "on_files"]
