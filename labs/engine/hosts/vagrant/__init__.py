"""Hosts as virtual machines that Vagrant runs."""
