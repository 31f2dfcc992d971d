"""What `benchmarks/memory.py` measures: the works, and one of them in a process of its own."""
