"""What runs in the environments of vendors: one file each, and `serve`, which loads it. We import none of it."""
