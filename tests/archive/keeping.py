"""What the store holds of the studies that were sent."""

from pathlib import Path

from sharing.archive.models import Instance
from sharing.blobs import store
from tests.archive.sending import dicom_files


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
