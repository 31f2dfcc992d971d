"""What XLA compiled, and the rows of parameters that go through it."""
