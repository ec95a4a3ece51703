"""Which rows name which blobs: every table with a column `blob`, whatever room it belongs to.

So that a room that comes later is not forgotten, the tables are found, not listed.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import models
from django.db.models import QuerySet

Rows = QuerySet[models.Model]


def naming() -> Iterator[Rows]:
    """The rows of every table that names blobs."""
    for model in apps.get_models():
        if "blob" in _columns(model):
            yield model._default_manager.all()


def ranged() -> Iterator[Rows]:
    """Those that name a range of a blob: they can follow it into another one."""
    for rows in naming():
        if {"offset", "length"} <= _columns(rows.model):
            yield rows


def whole() -> Iterator[Rows]:
    """Those that name a blob as a whole."""
    for rows in naming():
        if "offset" not in _columns(rows.model):
            yield rows


def hashed() -> Iterator[Rows]:
    """Those that know what their bytes must be."""
    for rows in naming():
        if "sha256" in _columns(rows.model):
            yield rows


def places(rows: Rows, pack: str) -> list[tuple[int, int, str]]:
    """(offset, length, hash or empty) of what these rows of a `ranged` table need of a pack."""
    known = "sha256" in _columns(rows.model)
    columns = ("offset", "length", "sha256") if known else ("offset", "length")
    return [(*row, "")[:3] for row in rows.filter(blob=pack).values_list(*columns)]


def is_named(key: str) -> bool:
    """Whether any row needs the blob."""
    return any(rows.filter(blob=key).exists() for rows in naming())


def _columns(model: type[models.Model]) -> set[str]:
    return {column.name for column in model._meta.concrete_fields}
