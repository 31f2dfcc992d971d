"""The whole state, shared by many devices."""
