"""Circuits as exponentials of Pauli groups."""
