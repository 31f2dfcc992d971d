"""Co-design: what a workload asks of machines and devices, and what would change with others."""
