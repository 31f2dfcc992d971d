"""Handing runs to archives and to other people as RO-Crates, and taking them out again."""
