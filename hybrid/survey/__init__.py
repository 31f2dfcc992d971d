"""A curve or a surface of energies from few runs: propose, run, validate, learn, until a promised interval holds."""
