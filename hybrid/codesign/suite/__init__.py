"""The benchmark suite: each application defined once, run on any backend."""
