"""The command line."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from hybrid.cli.app import main as run

    run()
