"""What to compute: Hamiltonians with their exact energies."""
