"""Circuits that few bonds join, cut at many places: cost grows with their length, not exponentially with it."""
