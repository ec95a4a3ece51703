"""Sending files to the archive in tests, by the service that every door calls."""

from collections.abc import Iterator
from pathlib import Path

import pydicom

from sharing.archive.models import Delivery
from sharing.archive.rules import Door
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from tests.cast import NOW, Region


def incoming(path: Path) -> Incoming:
    """A file on the disk as a sent one."""
    return Incoming(path.name, iter((path.read_bytes(),)))


def send(region: Region, *paths: Path, door: Door = Door.UPLOAD, **how: object) -> Delivery:
    """Riverside receives these files."""
    values = {"organization": region.riverside, "at": NOW} | how
    files = (incoming(path) for path in paths)
    made = receive(door=door, sender="test", files=files, by=SYSTEM, **values)  # type: ignore[arg-type]
    return made.delivery


def outcomes(delivery: Delivery) -> list[tuple[str, str]]:
    """(outcome, code) of every file, in order."""
    return list(delivery.items.order_by("pk").values_list("outcome", "code"))


def dicom_files(folder: Path) -> Iterator[Path]:
    """The DICOM files of a study of the real data, in order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and _is_dicom(path))


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def uid_of(path: Path) -> str:
    """The study of a file, as pydicom reads it."""
    return str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID)
