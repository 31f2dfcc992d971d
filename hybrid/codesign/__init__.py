"""Devices and workloads designed for each other: benchmarks of what is there, and models of what might be."""
