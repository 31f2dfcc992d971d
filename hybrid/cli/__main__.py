"""``python -m hybrid.cli``."""

from hybrid.cli import main

main()
