"""Density matrices under a device's noise in JAX: values that can be differentiated in angles and noise alike."""
