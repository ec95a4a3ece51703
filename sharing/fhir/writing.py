"""The types that are written here, and by which verbs."""

from collections.abc import Callable
from dataclasses import dataclass

from .matching import Asking
from .words import Json


@dataclass(frozen=True)
class Writer:
    """Create, update, all versions with the newest first where they are kept, and delete."""

    create: Callable[[Asking, Json], Json]
    update: Callable[[Asking, str, Json, str], Json]
    versions: Callable[[Asking, str], list[Json]] | None = None
    delete: Callable[[Asking, str, str], None] | None = None
