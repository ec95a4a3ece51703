"""A pack per delivery and study, or a file per instance? (ADR-004)

All variants of a round run one after another on the same disk, in an order that turns from round to
round; what counts is the ratio to the pack in the same round, median and worst. Durable means: the
bytes and the names are synced before the clock stops.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sharing.archive.packs import BEGUN
from sharing.blobs.early import begin_writing

Store = Callable[[Path, list[bytes]], list[tuple[Path, int, int]]]
Places = list[tuple[Path, int, int]]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def pack(folder: Path, objects: list[bytes], *, early: bool = True) -> Places:
    """One file, one sync, one rename; the disk begins while more is received."""
    places, at, begun = [], 0, 0
    target = folder / "pack"
    with (folder / "tmp").open("wb") as file:
        for raw in objects:
            hashlib.sha256(raw).digest()  # what receiving does meanwhile
            file.write(raw)
            places.append((target, at, len(raw)))
            at += len(raw)
            if early and at - begun >= BEGUN:
                begin_writing(file, begun, at - begun)
                begun = at
        file.flush()
        os.fsync(file.fileno())
    (folder / "tmp").rename(target)
    sync_folder(folder)
    return places


def pack_late(folder: Path, objects: list[bytes]) -> Places:
    """The same, and the disk learns of it at the sync."""
    return pack(folder, objects, early=False)


def _one(folder: Path, number: int, raw: bytes) -> tuple[Path, int, int]:
    hashlib.sha256(raw).digest()
    shard = folder / f"{number % 256:02x}"
    shard.mkdir(exist_ok=True)
    temporary, target = shard / f"{number}.tmp", shard / str(number)
    with temporary.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(target)
    return target, 0, len(raw)


def file_each(folder: Path, objects: list[bytes]) -> Places:
    """A file per instance in 256 folders, synced in line."""
    places = [_one(folder, number, raw) for number, raw in enumerate(objects)]
    _sync_all(folder)
    return places


def file_pool(folder: Path, objects: list[bytes]) -> Places:
    """The same with four threads that sync."""
    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(lambda pair: _one(folder, *pair), enumerate(objects)))
    _sync_all(folder)
    return places


def _sync_all(folder: Path) -> None:
    for shard in folder.iterdir():
        sync_folder(shard)
    sync_folder(folder)


OTHERS: dict[str, Store] = {"pack late": pack_late, "file each": file_each, "file pool": file_pool}
VARIANTS: dict[str, Store] = {"pack": pack, **OTHERS}


def read_all(places: Places) -> None:
    """Every object once, as a frame request does: open, read a range, close."""
    for path, offset, length in places:
        handle = os.open(path, os.O_RDONLY)
        os.pread(handle, length, offset)
        os.close(handle)


def erase_one(places: Places) -> None:
    """Remove one instance durably: rewrite its pack, or unlink its file."""
    path, offset, length = places[len(places) // 2]
    if path.stat().st_size == length:
        path.unlink()
    else:
        with path.open("rb") as old, path.with_suffix(".new").open("wb") as new:
            new.write(old.read(offset))
            old.seek(offset + length)
            shutil.copyfileobj(old, new, 1024 * 1024)
            new.flush()
            os.fsync(new.fileno())
        path.with_suffix(".new").rename(path)
    sync_folder(path.parent)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what came back."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def one_round(root: Path, objects: list[bytes], names: list[str]) -> dict[str, dict[str, float]]:
    """Seconds by variant and step."""
    found: dict[str, dict[str, float]] = {}
    for name in names:
        folder = Path(tempfile.mkdtemp(dir=root))
        store, places = timed(lambda f=folder, n=name: VARIANTS[n](f, objects))
        read, _ = timed(lambda p=places: read_all(p))
        erase, _ = timed(lambda p=places: erase_one(p))
        drop, _ = timed(lambda f=folder: shutil.rmtree(f))
        found[name] = {"store": store, "read": read, "erase one": erase, "delete all": drop}
        time.sleep(0.5)  # the disk's backlog belongs to who made it
    return found


def table(rounds: list[dict[str, dict[str, float]]], count: int) -> str:
    """Markdown: rate of the pack, and how many times longer the others take."""
    lines = [
        "| step | pack, per second | " + " | ".join(f"{name} / pack" for name in OTHERS) + " |",
        "|---|---|" + "---|" * len(OTHERS),
    ]
    for step in ("store", "read", "erase one", "delete all"):
        base = [r["pack"][step] for r in rounds]
        many = 1 if step in ("erase one", "delete all") else count
        row = f"| {step} | {many / statistics.median(base):,.0f} |"
        for name in OTHERS:
            ratios = [r[name][step] / r["pack"][step] for r in rounds]
            low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
            row += f" {middle:.2f} ({low:.2f} to {high:.2f}) |"
        lines.append(row)
    return "\n".join(lines)


def main() -> None:
    """Two sizes of study: slices of half a megabyte, and small ones."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    options, _ = arguments.parse_known_args()
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        for count, size in ((120, 526_000), (300, 33_000)):
            objects = [os.urandom(size) for _ in range(count)]
            names = list(VARIANTS)
            rounds = []
            for number in range(options.rounds):
                turn = number % len(names)
                rounds.append(one_round(root, objects, names[turn:] + names[:turn]))
            print(f"\n{count} instances of {size // 1000} kB, {options.rounds} rounds\n")
            print(table(rounds, count))
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
