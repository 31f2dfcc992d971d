"""Devices, real and fake: each vendor behind one file."""
