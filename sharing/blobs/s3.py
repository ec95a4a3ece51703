"""Blobs as objects of one S3 bucket: tried again within bounds, checked, and typed when away.

A key is new for each blob, so that sending the same bytes again is harmless: an answer that got
lost on its way back costs one more request and nothing else.
"""

import hashlib
import logging
import os
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from .errors import BlobMissing, StoreAway

log = logging.getLogger(__name__)
Found = TypeVar("Found")
ATTEMPTS = 6
DEADLINE = 25.0  # seconds after which nothing is tried again
LONGEST_REST = 2.0  # seconds between two tries
PART = 8 * 1024 * 1024  # bytes of a part; a smaller blob goes in one request
AT_ONCE = 4  # parts on their way, so that memory stays at AT_ONCE * PART
GIVE_UP_AFTER = 3  # calls in a row that failed after all tries
PAUSE = 5.0  # seconds in which a store that failed so often is not asked
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_AGAIN = {"SlowDown", "RequestTimeout", "InternalError", "BadDigest", "Throttling", "429"}


class Breaker:
    """After several calls that failed altogether, callers are told at once for a few seconds."""

    def __init__(self) -> None:
        self._failed = 0
        self._closed_until = 0.0

    def ask(self) -> None:
        """Raises StoreAway while the store is left alone."""
        if time.monotonic() < self._closed_until:
            raise StoreAway()

    def succeeded(self) -> None:
        """An answer came."""
        self._failed = 0

    def failed(self) -> None:
        """All tries of a call failed."""
        self._failed += 1
        if self._failed >= GIVE_UP_AFTER:
            self._closed_until = time.monotonic() + PAUSE


class S3Store:
    """Blobs as objects of one bucket.

    django-storages makes the connection. Its files download the whole object before
    the first read, so ranges are ranged GETs of the client beneath it.
    """

    def __init__(self, storage: S3Storage) -> None:
        self.storage = storage
        self.bucket: str = storage.bucket_name
        self.breaker = Breaker()
        self._clients: dict[int, Any] = {}

    @property
    def client(self) -> Any:
        """The boto3 client of this process: threads may share one, a fork may not."""
        process = os.getpid()
        if process not in self._clients:
            self._clients = {process: self.storage.connection.meta.client}
        return self._clients[process]

    @classmethod
    def from_url(cls, url: str) -> "S3Store":
        """`s3://key:secret@host:port/bucket?region=r&tls=0|1`."""
        parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        scheme = "http" if options.get("tls") == "0" else "https"
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=3,
            read_timeout=10,
            tcp_keepalive=True,
            max_pool_connections=32,
            retries={"total_max_attempts": 1},  # `_try` tries again, bodies included
        )
        storage = S3Storage(
            bucket_name=parts.path.strip("/"),
            endpoint_url=f"{scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""),
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            region_name=options.get("region", "us-east-1"),
            client_config=config,
        )
        return cls(storage)

    def adopt(self, key: str, path: Path) -> None:
        """Upload; durable when the store has said so. The local file is removed.

        Raises StoreAway.
        """
        size = path.stat().st_size
        if size <= PART:
            self._put(key, path.read_bytes())
        else:
            self._put_in_parts(key, path, size)
        path.unlink()

    def expect(self, handle: IO[bytes], offset: int, length: int) -> None:
        """Nothing: the file is sent when it is whole, and never synced."""

    def _put(self, key: str, body: bytes) -> None:
        self._try(
            lambda: self.client.put_object(
                Bucket=self.bucket, Key=key, Body=body, ContentMD5=_md5(body)
            )
        )

    def put_locked(self, key: str, body: bytes, until: datetime) -> None:
        """Store small bytes that nobody, not the owner either, deletes before `until`.

        The bucket must have object lock. Raises StoreAway.
        """
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        where = {"Bucket": self.bucket, "Key": key}
        self._try(lambda: self.client.put_object(**where, **lock, Body=body, ContentMD5=_md5(body)))

    def _put_in_parts(self, key: str, path: Path, size: int) -> None:
        where = {"Bucket": self.bucket, "Key": key}
        begun = self._try(lambda: self.client.create_multipart_upload(**where))
        upload = where | {"UploadId": begun["UploadId"]}
        numbers = range(1, -(-size // PART) + 1)
        try:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                tags = list(threads.map(lambda n: self._put_part(upload, path, n), numbers))
            self._complete(upload, tags, key, size)
        except BaseException:
            self._abandon(upload)
            raise

    def _put_part(self, upload: dict[str, Any], path: Path, number: int) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek((number - 1) * PART)
            body = file.read(PART)
        answer = self._try(
            lambda: self.client.upload_part(
                **upload, PartNumber=number, Body=body, ContentMD5=_md5(body)
            )
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _complete(
        self, upload: dict[str, Any], parts: list[dict[str, Any]], key: str, size: int
    ) -> None:
        """A second try may find the upload gone, because the first one came through."""
        try:
            self._try(
                lambda: self.client.complete_multipart_upload(
                    **upload, MultipartUpload={"Parts": parts}
                )
            )
        except (BlobMissing, StoreAway):
            if self._size_or_none(key) != size:
                raise StoreAway() from None
        if self.size(key) != size:
            raise StoreAway()

    def _size_or_none(self, key: str) -> int | None:
        try:
            return self.size(key)
        except BlobMissing:
            return None

    def _abandon(self, upload: dict[str, Any]) -> None:
        """Parts that stay behind cost money; a bucket rule removes what this can't."""
        try:
            self.client.abort_multipart_upload(**upload)
        except (BotoCoreError, ClientError):
            log.warning("an upload in parts was left behind")

    def read(self, key: str, offset: int, length: int) -> bytes:
        """One ranged GET; past the end fewer bytes, as from a file.

        Raises BlobMissing, StoreAway.
        """
        if length == 0:
            return b""
        wanted = f"bytes={offset}-{offset + length - 1}"

        def get() -> bytes:
            answer = self.client.get_object(Bucket=self.bucket, Key=key, Range=wanted)
            body: bytes = answer["Body"].read()  # raises when fewer came than were announced
            return body

        return self._try(get)

    def size(self, key: str) -> int:
        """One HEAD. Raises BlobMissing, StoreAway."""
        return int(self._head(key)["ContentLength"])

    def written_at(self, key: str) -> datetime:
        """One HEAD. Raises BlobMissing, StoreAway."""
        written: datetime = self._head(key)["LastModified"]
        return written

    def _head(self, key: str) -> Any:
        return self._try(lambda: self.client.head_object(Bucket=self.bucket, Key=key))

    def delete(self, key: str) -> None:
        """S3 answers the same for what is not there. Raises StoreAway."""
        self._try(lambda: self.client.delete_object(Bucket=self.bucket, Key=key))

    def keys(self) -> Iterator[str]:
        """Every object, page by page. Raises StoreAway."""
        more: dict[str, str] = {}
        while True:
            page = self._try(partial(self.client.list_objects_v2, Bucket=self.bucket, **more))
            yield from (entry["Key"] for entry in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _try(self, act: Callable[[], Found]) -> Found:
        """Up to ATTEMPTS times within DEADLINE, resting a random time between."""
        self.breaker.ask()
        until = time.monotonic() + DEADLINE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                found = act()
            except (BotoCoreError, ClientError) as error:
                _judge(error)
                if attempt == ATTEMPTS or time.monotonic() > until:
                    break
                time.sleep(random.uniform(0, min(0.1 * 2**attempt, LONGEST_REST)))  # noqa: S311
            else:
                self.breaker.succeeded()
                return found
        self.breaker.failed()
        log.error("the image store failed %d times in a row", attempt)
        raise StoreAway()


def _judge(error: BotoCoreError | ClientError) -> None:
    """Raises what trying again would not mend; a connection's failure passes."""
    if not isinstance(error, ClientError):
        return
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _ABSENT or status == 404:
        raise BlobMissing() from error
    if status < 500 and code not in _AGAIN:
        log.error("the image store refuses: %s", code[:40])
        raise StoreAway() from error


def _md5(body: bytes) -> str:
    """What the store compares with what arrived (Content-MD5); no secret hangs on it."""
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
