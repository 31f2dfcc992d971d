"""How much the router's choice costs: workloads, contestants, measured times, and what is made of them."""
