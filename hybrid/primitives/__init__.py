"""Qiskit's primitives over every backend of the toolkit."""
