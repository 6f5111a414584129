"""Files included in a page: expanded by the extension that also expands them on the study site."""

from pathlib import Path

from markdown import Markdown
from pymdownx.snippets import SnippetExtension, SnippetMissingError

from labs.engine.errors import LabError


class Snippets:
    """Expands `--8<-- "flannel/unit.service"`; names are relative to `folder`, and nothing outside of it is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        extension = SnippetExtension(base_path=[str(folder)], check_paths=True)
        self._preprocessor = Markdown(extensions=[extension]).preprocessors["snippet"]

    def expand(self, text: str) -> str:
        """Return the text with the files that it includes, no blank lines at its end; LabError when one is missing."""
        try:
            lines = self._preprocessor.run(text.removesuffix("\n").split("\n"))
        except SnippetMissingError as error:
            raise LabError("course-files", f"{error} in {self._folder.name}/") from error
        # An included file ends with an empty line here; at the end of a block, the site doesn't show it.
        return "\n".join(lines).rstrip("\n") + "\n"
