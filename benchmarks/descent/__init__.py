"""A contest between optimizers: landscapes, contestants, and the meter that counts what they ask for."""
