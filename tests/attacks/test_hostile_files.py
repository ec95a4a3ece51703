"""Broken files and discs by both doors: an answer each, no write elsewhere, and on it goes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.archive.sending import send
from tests.cast import Region
from tests.faces.dicomweb.conftest import Stow, content_type, multipart, token_client

_watched: list[set[str]] = []
_CHANGES = {
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """What this process opens to write, makes, moves or deletes; an audit hook can't be removed."""
    if not _watched or (event != "open" and event not in _CHANGES):
        return
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return
    paths = arguments[:2] if event in ("os.rename", "os.link") else arguments[:1]
    _watched[-1].update(os.fsdecode(path) for path in paths if isinstance(path, str | bytes | Path))


sys.addaudithook(_hook)


@contextmanager
def watching() -> Iterator[set[str]]:
    """The paths that are written meanwhile."""
    _watched.append(set())
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


@pytest.fixture
def pacs(region: Region) -> Client:
    """Riverside's PACS."""
    return token_client(region.riverside)


@pytest.fixture
def stow(pacs: Client) -> Stow:
    """Send files by STOW-RS."""

    def post(*paths: Path) -> Any:
        body = multipart(*(path.read_bytes() for path in paths))
        return pacs.post("/dicomweb/studies", body, content_type=content_type())

    return post


@pytest.mark.parametrize("folder", ["broken", "media"])
def test_hostile_files_write_nothing_but_blobs_and_the_next_request_is_served(
    region: Region, stow: Stow, real_data: Path, folder: str
) -> None:
    good = real_data / "single/pydicom_MR_small_RLE.dcm"
    for path in sorted((real_data / folder).iterdir()):
        with watching() as written:
            assert stow(path).status_code in (200, 202, 409), path.name
            send(region, path)
            assert stow(good).status_code == 200, path.name
        elsewhere = {
            name
            for name in written
            if not Path(name).resolve().is_relative_to(Path(settings.DATA_DIR).resolve())
            and not name.startswith("/dev/")
        }
        assert elsewhere == set(), path.name
        assert any(name.startswith(str(settings.SCRATCH_DIR)) for name in written)
