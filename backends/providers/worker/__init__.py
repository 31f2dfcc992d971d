"""Vendors whose packages cannot live beside ours: each in an environment of its own, behind a pipe.

`environment` makes the environments that `recipes` lists, `process` speaks with a child process in one of them, and
`hardware` is what the rest of the toolkit sees. `there/` runs in the environment; it is no package, and nothing of ours
imports it.
"""
