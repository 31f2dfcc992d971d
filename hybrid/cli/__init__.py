"""The command line."""


def main() -> None:
    """Run the command line."""
    from hybrid.cli.app import main as run

    run()
