"""What runs in the environments of vendors: one file each, and `serve`, which loads it. Nothing here is imported by us."""
