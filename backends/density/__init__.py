"""Density matrices under a device's noise: values that can be differentiated in angles and noise alike."""
