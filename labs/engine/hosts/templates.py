"""The templates of everything that is rendered for hosts."""

import base64

from jinja2 import Environment, StrictUndefined


def template_environment() -> Environment:
    """Return the environment of all templates: an unknown variable is an error, and nothing is escaped as HTML.

    The filter `b64encode` turns bytes into base64.
    """
    env = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    env.filters["b64encode"] = lambda data: base64.b64encode(data).decode()
    return env
