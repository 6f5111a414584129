"""The one exception that a user is meant to read."""


class LabError(Exception):
    """Something the user can understand: what is wrong, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
