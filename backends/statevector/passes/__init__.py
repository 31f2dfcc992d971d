"""The whole state on accelerators: few qubits at a time, each group of gates one pass that XLA fuses."""
