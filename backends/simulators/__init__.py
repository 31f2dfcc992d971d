"""Simulators on this machine, one in each file."""
