"""What MkDocs calls while it builds the study site (mkdocs_hooks.py passes these on)."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

from labs.engine.cache import Cache
from labs.engine.settings import read_settings
from labs.engine.site.mermaid import SCRIPT, mermaid


def on_config(config: MkDocsConfig) -> None:
    """Let every page load our copy of Mermaid, if there is one."""
    if mermaid(_cache()) and SCRIPT not in config.extra_javascript:
        config.extra_javascript.append(SCRIPT)


@event_priority(-200)  # after the plugin for languages, which takes every file for a page of docs/
def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the copy and its license to the site."""
    for place, content in mermaid(_cache()).items():
        files.append(File.generated(config, place, content=content))


def _cache() -> Cache:
    return Cache(read_settings().cache)
