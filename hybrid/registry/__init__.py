"""The registry of trained parameters: where runs have ended, for others to start from."""
