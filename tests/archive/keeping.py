"""What the store holds of the studies that were sent, and how they go."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Model

from sharing.archive.models import Instance, Removal, Series, Study
from sharing.archive.rules import Why
from sharing.archive.services.removing import delete_study
from sharing.blobs import store
from tests.archive.sending import dicom_files
from tests.cast import NOW, Region

DAY = timedelta(days=1)
TABLES: tuple[type[Model], ...] = (Study, Series, Instance)
"""What holds studies, the lower behind the upper."""


def delete(region: Region, study: Study, at: datetime = NOW, **how: object) -> Removal:
    """Olga deletes it."""
    words = {"why": Why.MISTAKE, "words": "Sent to the wrong place"} | how
    return delete_study(region.olga.actor, public_id=study.public_id, at=at, **words)


def files_of(real_data: Path) -> list[Path]:
    """The files of `wrist`."""
    return list(dicom_files(real_data / "studies/mr_wrist_j1"))


def held() -> set[bytes]:
    """Every instance's bytes, read from the store by the places that the rows name."""
    rows = Instance.objects.values_list("blob", "offset", "length")
    return {store().read(*row) for row in rows}


def packs() -> set[str]:
    """The keys of the packs in the store."""
    keys = store().keys()
    return {key for key in keys if "/studies/" in key}


def somewhere(raw: bytes) -> bool:
    """Whether any pack holds these bytes."""
    return any(raw in store().read(key, 0, store().size(key)) for key in packs())
