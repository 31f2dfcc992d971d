"""Several processes that work on one piece of work."""
