"""The question: a workload, what tells it from others, and its written form."""
