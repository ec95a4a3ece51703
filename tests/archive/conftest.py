"""A study of the real data in a store of the test's own."""

from pathlib import Path
from typing import Any

import pytest

from sharing.archive.models import Study
from tests.archive.keeping import files_of
from tests.archive.sending import send
from tests.cast import Region


@pytest.fixture
def own_store(settings: Any, tmp_path: Path) -> None:
    """A store in which other tests left nothing."""
    settings.BLOB_STORAGE = str(tmp_path / "blobs")
    settings.SCRATCH_DIR = tmp_path / "scratch"


@pytest.fixture
def wrist(own_store: None, region: Region, real_data: Path) -> Study:
    """Pat's study of 16 images in one series, as Riverside received it."""
    send(region, *files_of(real_data))
    return Study.objects.latest("pk")
