"""What is done about a device's noise: measurements corrected, gates twirled, noise amplified and extrapolated away."""
