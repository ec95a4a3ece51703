"""DICOM JSON in a column: compressed once at ingest, sent without being parsed again.

BulkDataURIs are kept relative (dicom.digest.RELATIVE) and made absolute on the way out: the public
address may change.
"""

import zlib

_KEPT = b'"BulkDataURI":"bulk/'


def compressed(raw: bytes) -> bytes:
    """JSON as the column keeps it."""
    return zlib.compress(raw, 1)


def expanded(column: bytes | memoryview, *, bulk_uri: str) -> bytes:
    """JSON as it is sent."""
    return absolute(zlib.decompress(column), bulk_uri=bulk_uri)


def absolute(raw: bytes, *, bulk_uri: str) -> bytes:
    """JSON with its BulkDataURIs below that address.

    A quote inside a value is escaped in JSON, so no text is mistaken.
    """
    return raw.replace(_KEPT, b'"BulkDataURI":"%s/' % bulk_uri.encode())
