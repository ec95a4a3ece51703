"""A peer to measure against: Orthanc, started empty, ended by its process id.

Its programs come from a Debian root: `/` when the packages are installed on this machine, or the
folder that debootstrap filled (bench/README.md). It listens on the loopback only. What makes the
work equal on both sides: each stored file is synced before the answer (`SyncStorageArea`), it
answers without a proxy, without a password, with as many threads as it comes with, and with its
cache of series metadata on.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DICOMWEB = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server: how the table calls it, where its DICOMweb is, its process (0: unknown)."""

    name: str
    url: str
    pid: int


def configuration(folder: str, port: int) -> dict[str, object]:
    """Orthanc's settings; what is not named keeps Orthanc's own default."""
    return {
        "Name": "peer",
        "StorageDirectory": f"{folder}/db",
        "IndexDirectory": f"{folder}/db",
        "Plugins": [DICOMWEB],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "KeepAlive": True,
        "TcpNoDelay": True,
        "HttpThreadsCount": 50,
        "StoreMD5ForAttachments": True,
        "SyncStorageArea": True,
        "SaveJobs": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableMetadataCache": True},
    }


def version(root: Path) -> str:
    """What the program says of itself, such as 1.12.7."""
    done = subprocess.run(
        [*_inside(root), "/usr/sbin/Orthanc", "--version"], capture_output=True, text=True
    )
    words = done.stdout.split()
    return words[1] if len(words) > 1 else "unknown"


@contextlib.contextmanager
def running(root: Path, port: int) -> Iterator[Peer]:
    """An Orthanc with an empty database; afterwards it has ended and its database is gone."""
    parent = (
        Path(os.environ["BENCH_DIR"]) if root == Path("/") and "BENCH_DIR" in os.environ else None
    )
    folder = Path(tempfile.mkdtemp(prefix="peer-", dir=parent or root / "tmp"))
    seen_inside = "/" + str(folder.relative_to(root))
    if root != Path("/"):
        # Without its own name there it asks the network for it, again and again: an unfair win.
        shutil.copy("/etc/hosts", root / "etc" / "hosts")
    (folder / "db").mkdir()
    (folder / "orthanc.json").write_text(json.dumps(configuration(seen_inside, port)))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_inside(root), "/usr/sbin/Orthanc", f"{seen_inside}/orthanc.json"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, folder / "log")
        yield Peer(f"Orthanc {version(root)}", f"{url}/dicom-web", process.pid)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _inside(root: Path) -> list[str]:
    return [] if root == Path("/") else ["chroot", str(root)]


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/system", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    process.terminate()
    raise SystemExit("Orthanc didn't start:\n" + log.read_text(errors="replace")[-2000:])
