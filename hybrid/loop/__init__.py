"""The variational loop: ask the optimizer, evaluate, write to the journal, tell the optimizer; and what stops it."""
