"""What it costs to find the parts of a store request: our reader, and python-multipart beside it.

Microseconds for each part of 526 kB (a CT slice), 20 in a body, best of several rounds; reading the
body out of memory is in all of them and is shown alone. The budget is 100 us above that.
"""

import argparse
import io
import os
import time
from collections.abc import Callable, Iterator

from python_multipart.multipart import MultipartParser

from sharing.dicomweb.parts import Parts

BOUNDARY = b"bench-9f1c2d7e5a0b4c6d8e2f"
SIZE, COUNT, PIECE = 526_000, 20, 256 * 1024


def body(content: bytes) -> bytes:
    """A store request of COUNT equal parts."""
    head = b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n"
    return (head + content + b"\r\n") * COUNT + b"--" + BOUNDARY + b"--\r\n"


def pieces(raw: bytes) -> Iterator[bytes]:
    """As the server gives it."""
    stream = io.BytesIO(raw)
    return iter(lambda: stream.read(PIECE), b"")


def read_only(raw: bytes) -> int:
    """Nothing but reading."""
    return sum(map(len, pieces(raw)))


def ours(raw: bytes) -> int:
    """Bytes of all parts."""
    parts = Parts(pieces(raw), BOUNDARY, most=COUNT)
    return sum(len(piece) for part in parts for piece in part.pieces)


def theirs(raw: bytes) -> int:
    """The same by python-multipart, without a copy either."""
    found = 0

    def data(whole: bytes, start: int, end: int) -> None:
        nonlocal found
        found += len(memoryview(whole)[start:end])

    parser = MultipartParser(BOUNDARY, {"on_part_data": data})
    for piece in pieces(raw):
        parser.write(piece)
    return found


def microseconds(work: Callable[[bytes], int], raw: bytes, rounds: int) -> float:
    """For each part, the best round."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work(raw)
        times.append(time.perf_counter() - begun)
    return min(times) / COUNT * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench parts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print("| content | reading alone | ours | python-multipart |\n|---|---|---|---|")
    grey = bytearray(os.urandom(SIZE))
    grey[1::2] = bytes(SIZE // 2)
    contents = {"noise": os.urandom(SIZE), "8 bits of 16": bytes(grey), "nothing": bytes(SIZE)}
    for name, content in contents.items():
        raw = body(content)
        assert ours(raw) == theirs(raw) == len(content) * COUNT
        found = [microseconds(work, raw, rounds) for work in (read_only, ours, theirs)]
        print(f"| {name} | {found[0]:.0f} us | {found[1]:.0f} us | {found[2]:.0f} us |")
