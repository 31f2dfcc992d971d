"""The whole state, by what XLA compiles."""
