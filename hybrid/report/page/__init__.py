"""A page on runs for others to read: one HTML file without scripts that needs nothing from anywhere."""
