"""From circuits to counted bit strings, and from those to expectation values."""
