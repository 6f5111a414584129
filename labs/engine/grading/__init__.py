"""Grading: a process of its own runs the checks and reports each objective as soon as it is known."""
