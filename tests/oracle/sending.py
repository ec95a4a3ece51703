"""What is sent: images by STOW, pieces of uploads (tus), links with their codes.

Own UIDs and foreign ones, crossed as everything is; all of it is typed, so an answer may repeat it.
"""

from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any

from sharing.archive.services import uploading
from sharing.kernel.purposes import Purpose
from tests.oracle import images
from tests.oracle.linking import CODE
from tests.oracle.marks import Mark
from tests.oracle.region import HOMES

TUS = {"Tus-Resumable": "1.0.0"}
SENT = ("dicomweb:studies", "dicomweb:study", "api:uploads", "api:upload", "api:upload-batches",
        "api:upload-batch", "api:upload-batch-close", "web:open-link")  # fmt: skip
SEED = 9
"""Of a pattern that no study of the region has."""


def begin_uploads(both: Any) -> None:
    """A file of each organization's machine is half on its way; its name is its sender's alone."""
    for home in HOMES:
        actor = both.machine(home, Purpose.TREATMENT)
        batch = uploading.open_batch(actor, at=both.at)
        name = both.marks.word(Mark("file", homes=frozenset({home}))) + ".dcm"
        upload = uploading.open_upload(
            actor, batch_id=batch.public_id, name=name, length=9, at=both.at
        )
        uploading.append(
            actor, public_id=upload.public_id, offset=0, pieces=iter([b"half"]), at=both.at
        )


def sent(pool: Any, asked: Any) -> Any:
    """The same question with what such a route is sent."""
    made = {
        "dicomweb:studies": _stow, "dicomweb:study": _stow, "api:uploads": _announced,
        "api:upload": _piece, "web:open-link": _code,
    }.get(asked.route)  # fmt: skip
    return made(pool, asked) if made else asked


def _stow(pool: Any, asked: Any) -> Any:
    body = BytesIO()
    for _ in range(pool.rng.randint(1, 2)):
        body.write(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + _image(pool) + b"\r\n")
    body.write(b"--b--\r\n")
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    return replace(asked, method="POST", raw=body.getvalue(), kind=kind, body={})


def _image(pool: Any) -> bytes:
    """With UIDs that others have, and with the name of somebody else's patient."""
    rng: Random = pool.rng
    held = [rng.choice(list(pool.both.held.values())) for _ in range(3)]
    name, identifier = rng.choice(list(pool.both.names.values()))
    texts = {
        "PatientName": name, "PatientID": identifier, "StudyInstanceUID": held[0].study,
        "SeriesInstanceUID": held[1].series, "SOPInstanceUID": held[2].instance,
    }  # fmt: skip
    return images.file(SEED, texts, modality="CT", body="CHEST", day="20261112")


def _announced(pool: Any, asked: Any) -> Any:
    batch = b64encode(str(pool.one("batch")).encode()).decode()
    told = {"Upload-Length": "9", "Upload-Metadata": f"batch {batch},filename YS5kY20="}
    return replace(asked, method="POST", body={}, headers=asked.headers | TUS | told)


def _piece(pool: Any, asked: Any) -> Any:
    method = pool.rng.choice(["HEAD", "HEAD", "PATCH", "PATCH", "DELETE"])
    if method != "PATCH":
        return replace(asked, method=method, body={}, headers=asked.headers | TUS)
    told = asked.headers | TUS | {"Upload-Offset": pool.rng.choice(["0", "4", "4"])}
    kind = "application/offset+octet-stream"
    return replace(asked, method="PATCH", body={}, headers=told, raw=b"whole", kind=kind)


def _code(pool: Any, asked: Any) -> Any:
    """A link with its code or a wrong one; or a secret that is none."""
    links = pool.both.links
    if not links:
        return asked
    secret = pool.rng.choice([pool.rng.choice(links).made.secret, "x" * 43])
    code = pool.rng.choice([CODE, CODE, "K7QM2XRE"])
    return replace(asked, method="POST", body={"link": secret, "code": code})
