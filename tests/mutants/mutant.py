"""A seeded fault, by value, and how it is put into a file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A one-place change of our source. `tests` are those of which one must see it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def put_into(self, root: Path) -> str:
        """The file's text with the fault. Raises ValueError where the table is no longer true."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: its old text stands {text.count(self.old)} times in {self.file}; "
                "put the present text, which must stand there once, into tests/mutants/"
            )
        return text.replace(self.old, self.new)
