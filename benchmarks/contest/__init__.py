"""A contest between the statevector engine and other libraries: workloads, contestants, processes, tables."""
