"""Ready-made algorithms on top of `hybrid.minimize`, one in each file, each of which reads like its paper.

VQE is `hybrid.minimize` itself.
"""
