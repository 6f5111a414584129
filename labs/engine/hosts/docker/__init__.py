"""Hosts as containers of a Docker engine."""
