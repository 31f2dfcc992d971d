"""A benchmark on disk: its record, its folder, its picture."""
