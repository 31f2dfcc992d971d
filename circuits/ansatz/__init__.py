"""Families of parametrized circuits, one in each file."""
