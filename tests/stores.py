"""Two stores that speak S3: a real server over a folder (rclone), and a model of one (moto); and a
folder of ready documents.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.live import free_port
from tests.waiting import wait_for_port

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def own_documents(settings: Any, tmp_path: Path) -> Path:
    """A folder of ready documents of its own: two tests' series may share key and version."""
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    return settings.DOCUMENTS_DIR


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server over a folder; yields its BLOB_STORAGE."""
    port = free_port()
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "images").mkdir()
    server = subprocess.Popen(
        [
            ROOT / ".venv/bin/rclone", "serve", "s3", folder, "--addr", f"127.0.0.1:{port}",
            "--auth-key", "key,secret", "--config", folder / "none.conf",
            # With 0s it reads its folders in circles, each request longer than the last.
            "--dir-cache-time", "1s", "--vfs-cache-mode", "off",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_port(port)
        yield f"s3://key:secret@127.0.0.1:{port}/images?tls=0"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A model of S3 in a thread; yields its BLOB_STORAGE."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="images")
    yield f"s3://key:secret@127.0.0.1:{port}/images?tls=0"
    server.stop()
