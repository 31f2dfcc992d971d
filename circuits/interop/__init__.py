"""Circuits from other formats, and back."""
