"""Derivatives and geometry from what any backend gives: shift rules, differences, fidelities, the metric."""
