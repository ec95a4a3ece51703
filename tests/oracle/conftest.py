"""The store of the archive's tests."""

from tests.archive.conftest import own_store

__all__ = ["own_store"]
