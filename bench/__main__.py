"""`make bench`: every measurement that takes less than a few minutes."""

from bench import ingest_layout


def main() -> None:
    """Print the tables."""
    ingest_layout.main()


main()
