"""Formats of other suites of benchmarks: records written for them, and circuits read from them."""
