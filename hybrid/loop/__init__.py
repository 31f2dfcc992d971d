"""The variational loop: ask, evaluate, write down, tell; and what stops it."""
