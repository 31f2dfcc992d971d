"""Quantum trajectories of circuits on devices with noise: pure states whose errors are drawn."""
