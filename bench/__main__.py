"""`python -m bench NAME [options]`: one measurement; without a name, the one of a few minutes.

The names are the modules beside this file that have a `main()`.
"""

import sys
from importlib import import_module
from pathlib import Path

DEFAULT = "ingest_layout"


def names() -> list[str]:
    """The measurements there are."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if "\ndef main(" in file.read_text()]


def main() -> int | None:
    """Run the one that is named; what it returns is the exit code."""
    chosen = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else ""
    if chosen and chosen not in names():
        print(f"There is no {chosen!r}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    sys.argv = [f"bench {chosen}", *sys.argv[2 if chosen else 1 :]]
    return import_module(f"bench.{chosen or DEFAULT}").main()


if __name__ == "__main__":
    sys.exit(main())
