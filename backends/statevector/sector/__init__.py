"""Circuits that never leave a small part of the state space, which is then all that is computed."""
