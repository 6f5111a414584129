"""The terminal: the only modules that print."""
