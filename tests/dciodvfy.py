"""What others' programs say of DICOM that we make: dciodvfy (dicom3tools), dcmftest (DCMTK)."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def iod_errors(raw: bytes) -> set[str]:
    """What dciodvfy calls errors in a DICOM file: of its encoding, its IOD and its values."""
    done = _told("dciodvfy", raw, "-new")
    return {line for line in done.splitlines() if line.startswith("Error")}


def is_part10(raw: bytes) -> bool:
    """Whether DCMTK takes it for a DICOM file."""
    return _told("dcmftest", raw).startswith("yes")


def _told(program: str, raw: bytes, *options: str) -> str:
    if not shutil.which(program):
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"{program} is absent: make needs")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object.dcm"
        path.write_bytes(raw)
        done = subprocess.run(
            [program, *options, str(path)],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
    return done.stdout.decode("utf-8", "replace")
