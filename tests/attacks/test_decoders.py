"""Strangers' bytes and C decoders meet in a child that may die, never in the web server."""

from pathlib import Path

import pytest

from sharing.archive.models import Instance
from sharing.archive.services import retrieving
from sharing.archive.services.retrieving import Stored
from sharing.dicom import decode
from tests.archive.sending import send
from tests.cast import Region


def test_frames_and_copies_are_decoded_in_the_child(
    region: Region, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pixels are the same as those that this process would make."""
    send(region, real_data / "single/pydicom_JPEG-LL.dcm")
    stored = Stored("", *Instance.objects.values_list(*Stored.COLUMNS).get())
    compressed = b"".join(stored.frame(0))
    wanted = retrieving.as_native_le(stored.scanned, compressed, 0)

    def here(*_: object) -> None:
        raise AssertionError("decoded in the web server")

    monkeypatch.setattr(decode, "_decoded", here)
    assert stored.native_frame(0) == wanted
    assert wanted in b"".join(stored.explicit_le())
