"""Render in a child process of bounded memory and time, without secrets or open files.

A decoder that crashes, hangs or grows on hostile bytes takes its child with it, never the server.
The child's answers are plain bytes, since a child that was taken over must not be unpickled.
"""

import atexit
import os
import pickle
import queue
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, cast

from .decode import BUDGET, Image
from .drawing import AS_IT_IS, How
from .errors import REASONS, CannotRender
from .frames import HERE, Codec
from .render import Picture, render, render_film, thumbnail
from .still import Still, drawn, unpacked

MEMORY = 4 * 1024**3
SECONDS = 20
CHILDREN = 2
LARGEST_ANSWER = BUDGET
_ROOT = Path(__file__).resolve().parents[2]
_HEAD = struct.Struct("<BI")


class _Child:
    """One child process; answers one job at a time."""

    def __init__(self) -> None:
        # A bare environment: the child decodes strangers' bytes and must know no secret.
        env = {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sharing.dicom.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/",
        )  # fmt: skip
        self._jobs = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def ask(self, job: bytes, seconds: float) -> bytes:
        """The answer's payload. Raises CannotRender, and OSError where the child is gone."""
        late = threading.Event()
        timer = threading.Timer(seconds, self._end, (late,))
        timer.start()
        try:
            status, answer = self._exchange(job)
        except (OSError, EOFError):
            if late.is_set():
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()
        if status:
            code = answer.decode("ascii", "replace")
            raise CannotRender(code if code in REASONS else "undecodable")
        return answer

    def _exchange(self, job: bytes) -> tuple[int, bytes]:
        self._jobs.write(struct.pack("<Q", len(job)))
        self._jobs.write(job)
        self._jobs.flush()
        status, length = _HEAD.unpack(_exactly(self._answers, _HEAD.size))
        if length > LARGEST_ANSWER:
            raise EOFError
        return status, _exactly(self._answers, length)

    def _end(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        _close_quietly(self._jobs)
        self._answers.close()
        self._process.wait()


def _close_quietly(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was still buffered for a dead child is of no use


class Renderers:
    """A few children, started when first needed, replaced when they die."""

    def __init__(self, size: int = CHILDREN) -> None:
        self._slots: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._slots.put(None)
        self.owner = os.getpid()

    def ask(self, job: bytes, seconds: float) -> bytes:
        """One answer. Raises CannotRender: took_too_long, undecodable, or the child's reason."""
        try:
            child = self._slots.get(timeout=seconds)
        except queue.Empty:
            raise CannotRender("took_too_long") from None
        try:
            child = child or _Child()
            return child.ask(job, seconds)
        except (TimeoutError, OSError, EOFError) as wrong:
            if child:
                child.close()
            child = None
            late = isinstance(wrong, TimeoutError)
            raise CannotRender("took_too_long" if late else "undecodable") from wrong
        finally:
            self._slots.put(child)

    def close(self) -> None:
        """End the children that are idle."""
        while not self._slots.empty():
            child = self._slots.get()
            if child:
                child.close()


_lock = threading.Lock()
_renderers: list[Renderers] = []


def _ours() -> Renderers:
    """The pool of this process; a forked worker starts its own."""
    with _lock:
        if not _renderers or _renderers[0].owner != os.getpid():
            _renderers[:] = [Renderers()]
        return _renderers[0]


def shutdown() -> None:
    """End this process's children."""
    with _lock:
        if _renderers and _renderers[0].owner == os.getpid():
            _renderers.pop().close()


atexit.register(shutdown)


def render_in_child(picture: Picture, how: How = AS_IT_IS, *, seconds: float = SECONDS) -> bytes:
    """What render() gives, made in a bounded child. Raises CannotRender."""
    return _ours().ask(pickle.dumps(("picture", picture, how)), seconds)


def film_in_child(pictures: list[Picture], how: How, milliseconds: int) -> bytes:
    """What render_film() gives, made in a bounded child. Raises CannotRender."""
    return _ours().ask(pickle.dumps(("film", pictures, how, milliseconds)), SECONDS)


def thumbnail_in_child(
    picture: Picture, how: How | None = None, *, seconds: float = SECONDS
) -> bytes:
    """What thumbnail() gives, made in a bounded child. Raises CannotRender."""
    return _ours().ask(pickle.dumps(("thumbnail", picture, how)), seconds)


def pixels_in_child(image: Image, frame: bytes, index: int) -> bytes:
    """What frames.pixels_of() gives, made in a bounded child. Raises CannotRender."""
    return _ours().ask(pickle.dumps(("pixels", image, frame, index)), SECONDS)


def photometric_in_child(image: Image, frame: bytes, index: int) -> str:
    """What frames.photometric_of() gives, made in a bounded child. Raises CannotRender."""
    job = pickle.dumps(("photometric", image, frame, index))
    return _ours().ask(job, SECONDS).decode("ascii", "replace")


def encoded_in_child(image: Image, frame: bytes, index: int, syntax: str) -> bytes:
    """What transcode.transcoded() gives, made in a bounded child. Raises CannotRender."""
    return _ours().ask(pickle.dumps(("encoded", image, frame, index, syntax)), SECONDS)


def still_in_child(raw: bytes) -> Still:
    """A GIF or PNG file's plain pixels, drawn in a bounded child. Raises CannotRender."""
    return unpacked(_ours().ask(pickle.dumps(("still", raw)), SECONDS))


CHILD = Codec(pixels_in_child, photometric_in_child, encoded_in_child)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) != length:
        raise EOFError
    return data


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bounded_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _photometric(image: Image, frame: bytes, index: int) -> bytes:
    return HERE.photometric(image, frame, index).encode("ascii", "replace")


JOBS: dict[str, Callable[..., bytes]] = {
    "pixels": HERE.pixels,
    "photometric": _photometric,
    "thumbnail": thumbnail,
    "picture": render,
    "film": render_film,
    "encoded": HERE.encoded,
    "still": drawn,
}


def _answer(job: bytes) -> tuple[int, bytes]:
    kind, *given = pickle.loads(job)  # noqa: S301 - the job is our parent's own
    try:
        return 0, JOBS[kind](*given)
    except CannotRender as wrong:
        return 1, wrong.code.encode("ascii")
    except MemoryError:
        return 1, b"over_budget"


def _serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    _bounded()
    while len(head := jobs.read(8)) == 8:
        _bounded_time()
        status, payload = _answer(_exactly(jobs, struct.unpack("<Q", head)[0]))
        answers.write(_HEAD.pack(status, len(payload)) + payload)
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
