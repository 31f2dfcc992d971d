"""The record of a run: its folder, journal, history and provenance."""
