"""A DICOM file taken apart as a sender of metadata and bulk data has it."""

import io

from sharing.dicom.assemble import Lookup
from sharing.dicom.bulk import OCTETS, Bulk
from sharing.dicom.frames import frame_bytes
from sharing.dicom.json_model import JsonObject, bulk_range, dicom_json
from sharing.dicom.scan import plain, scan


def part(raw: bytes, media: str = OCTETS, syntax: str = "") -> Bulk:
    """Bytes as a part with bulk data."""
    return Bulk(media, syntax, len(raw), lambda offset, count: raw[offset : offset + count])


def apart(raw: bytes, base: str = "u") -> tuple[JsonObject, Lookup]:
    """The metadata of a file with BulkDataURIs below `base`, and its bulk data by them."""
    scanned = scan(raw, size=len(raw))
    stream = plain(io.BytesIO(raw), size=len(raw))

    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length)

    def bulk(uri: str) -> list[Bulk]:
        pixel, path = scanned.pixel, uri.removeprefix(f"{base}/")
        if pixel and pixel.encapsulated and path == "7FE00010":
            frames = (frame_bytes(read, pixel, n) for n in range(len(pixel.frames)))
            return [part(frame, syntax=scanned.transfer_syntax) for frame in frames]
        return [part(read(*bulk_range(scanned, path)))]

    return dicom_json(scanned, bulk_uri=base), bulk
