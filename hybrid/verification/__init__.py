"""Checking a finished run by other means than those that made it."""
