"""What one received instance costs, step by step, and whole, without a network: microseconds.

`python -m bench ingest_steps` fills a database and a store of its own: slices of 526 kB, 20 to a
delivery, and studies of one small image, 50 to a delivery. CPU time of this thread for the steps;
for the whole, CPU time of the process and the wall's. Under `python tests/postgres.py` it is
PostgreSQL that is filled.
"""

import argparse
import hashlib
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

PIECE = 256 * 1024


def image(study: int, number: int, side: int) -> bytes:
    """A slice of `side` x `side` pixels of 16 bits with about ninety elements."""
    made = Dataset()
    made.SpecificCharacterSet, made.Modality = "ISO_IR 100", "CT"
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.{study}.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = f"2.25.{study}", f"2.25.{study}.0"
    made.PatientID, made.PatientName = f"BENCH{study}", f"Bench^Number {study}"
    made.StudyDate, made.StudyTime, made.AccessionNumber = "20260102", "101500", f"A{study}"
    made.InstanceNumber, made.SliceLocation = str(number), f"{number}.5"
    made.ImagePositionPatient = ["-180.5", "-180.5", f"{number}.5"]
    made.PixelSpacing, made.WindowCenter, made.WindowWidth = ["0.7", "0.7"], "40", "400"
    made.Rows = made.Columns = side
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    block = made.private_block(0x0099, "BENCH", create=True)
    for filler in range(60):
        block.add_new(filler, "LO", f"Said of the whole series, line {filler}")
    made.PixelData = random.Random(number).randbytes(side * side * 2)
    made["PixelData"].VR = "OW"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()


def cost(work: Callable[[], object], times: int = 100) -> float:
    """The least of three turns, in microseconds of this thread."""
    turns = []
    for _ in range(3):
        began = time.thread_time()
        for _ in range(times):
            work()
        turns.append((time.thread_time() - began) / times * 1e6)
    return min(turns)


def steps(raw: bytes) -> dict[str, float]:
    """What is done with one instance before any row is written."""
    from sharing.archive.metadata import compressed
    from sharing.dicom import fragments
    from sharing.dicom.digest import thorough
    from sharing.dicom.scan import scan
    from sharing.dicom.swift import HEAD, swift

    def swiftly() -> Any:
        return swift(raw[:HEAD], size=len(raw), default_charset=None)

    def afresh() -> Any:
        fragments.charset_and_memo.cache_clear()
        return swiftly()

    json = swiftly().json
    return {
        "sha256": cost(lambda: hashlib.sha256(raw)),
        "read swiftly, elements remembered": cost(swiftly),
        "read swiftly, nothing remembered": cost(afresh),
        "read thoroughly": cost(lambda: thorough(scan(raw, size=len(raw))), 20),
        "compress its JSON": cost(lambda: compressed(json)),
    }


def whole(name: str, deliveries: list[list[bytes]]) -> None:
    """Receive, and print the CPU and the wall's time of one instance."""
    from django.utils import timezone

    from sharing.archive.rules import Door
    from sharing.archive.services.receiving import Incoming, receive
    from sharing.audit.rules import SYSTEM
    from sharing.tenants.models import Organization

    facts = {"name": "Bench", "patient_id_issuer": "BENCH"}
    home, _ = Organization.objects.get_or_create(code="bench", defaults=facts)
    wall, cpu = time.perf_counter(), time.process_time()
    for files in deliveries:
        cut = [[raw[at : at + PIECE] for at in range(0, len(raw), PIECE)] for raw in files]
        receive(
            organization=home,
            door=Door.STOW,
            sender="bench",
            files=[Incoming("part", pieces) for pieces in cut],
            by=SYSTEM,
            at=timezone.now(),
        )
    count = sum(map(len, deliveries))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<40}{cpu / count * 1e6:8.0f} CPU {wall / count * 1e6:8.0f} wall")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10)
    given = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="portal-bench-")
    os.environ.setdefault("DATABASE_URL", "")
    os.environ.update(DATA_DIR=folder, PORTAL_MODE="embedded", PUBLIC_URL="http://bench")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        from sharing.kernel import scope

        with scope.as_house():
            _run(given.deliveries)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(deliveries: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    for name, microseconds in steps(image(1, 1, 512)).items():
        print(f"{name:<40}{microseconds:8.0f}")
    whole("(the first delivery)", [[image(9, 1, 64)]])
    slices = [[image(2, at * 20 + n, 512) for n in range(20)] for at in range(deliveries)]
    whole("a slice of 526 kB, 20 to a delivery", slices)
    studies = [[image(1000 + at * 50 + n, 1, 48) for n in range(50)] for at in range(deliveries)]
    whole("a study of one image, 50 to a delivery", studies)
