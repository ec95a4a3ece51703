"""DICOM JSON in a column: compressed once at ingest, sent without being parsed again.

BulkDataURIs are kept relative (dicom.digest.RELATIVE) and made absolute on the way out: the public
address may change.

ISA-L makes the same format as zlib, and of such small texts in a fraction of the time
(bench ingest_steps).
"""

from collections.abc import Iterable, Iterator

from isal import isal_zlib

_KEPT = b'"BulkDataURI":"bulk/'


def compressed(raw: bytes) -> bytes:
    """JSON as the column keeps it."""
    return isal_zlib.compress(raw, 1)


def expanded(column: bytes | memoryview, *, bulk_uri: str) -> bytes:
    """JSON as it is sent."""
    return absolute(isal_zlib.decompress(column), bulk_uri=bulk_uri)


def absolute(raw: bytes, *, bulk_uri: str) -> bytes:
    """JSON with its BulkDataURIs below that address.

    A quote inside a value is escaped in JSON, so no text is mistaken.
    """
    return raw.replace(_KEPT, b'"BulkDataURI":"%s/' % bulk_uri.encode())


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One member: not all clients read the second of a series of gzip files."""
    coder = isal_zlib.compressobj(1, wbits=31)
    for chunk in chunks:
        if made := coder.compress(chunk):
            yield made
    yield coder.flush()
