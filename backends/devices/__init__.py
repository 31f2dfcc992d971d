"""Devices as values: what a quantum computer can do and how well, to be varied."""
