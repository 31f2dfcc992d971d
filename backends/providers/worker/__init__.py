"""Vendors whose packages cannot live beside ours: each in an environment of its own, behind a pipe.

`environment` makes the environments that `recipes` lists, `process` speaks with a child process in one of them, `there/`
is what runs in it (it is no package: nothing of ours imports it), and `hardware` is what the rest of the toolkit sees.
"""
