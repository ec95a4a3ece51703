"""Run in the folder of a rig: a portal without a server, whose every request is a process.

Reads JSON lines, forks for each, prints the child's number, then how it ended. The child stops
itself (SIGSTOP) before it does anything, so that a tracer can take hold of it. What it answers it
writes at once: that write is the acknowledgement.
"""

import io
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import django

from sharing.kernel import scope


def main() -> None:
    """Until standard input ends."""
    django.setup()
    from portal.wsgi import application

    _warm(application)
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(task, application)
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _warm(application: Any) -> None:
    """Load now what each child would load again; children open the database themselves."""
    from django.db import connection

    from portal import celery_app

    celery_app.send_task("outbox.sweep")
    task = {"method": "GET", "path": "/dicomweb/studies", "headers": {"HTTP_HOST": "127.0.0.1"}}
    _request(task, application)
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


def _say(number: int) -> None:
    print(number, flush=True)


def _child(task: dict[str, Any], application: Any) -> None:
    out, code = os.open(task["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 70
    try:
        SEEDS[task.get("seed", "")]()
        if task.get("stop"):
            os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(task.get("times", 1)):
            found = _truth() if task["do"] == "truth" else _request(task, application)
            os.writev(out, [found])  # no other call here is this one: faults can spare it
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(code)


def _truth() -> bytes:
    from tests.durability import truth

    with scope.as_house():
        return json.dumps(truth.look()).encode()


def _request(task: dict[str, Any], application: Any) -> bytes:
    """Status line and body of the WSGI application's answer."""
    body = Path(task["body"]).read_bytes() if task.get("body") else b""
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": task["method"], "PATH_INFO": task["path"], "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, **task["headers"],
    }  # fmt: skip
    answer = application(environ, lambda status, headers, *_: told.append(status))
    return f"HTTP/1.1 {told[0]}\r\n\r\n".encode() + b"".join(answer)


def _no_fsync(*, of_folders: bool) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode) != of_folders:
            real(handle)

    os.fsync = fsync


def _normal() -> None:
    from django.db import connection

    connection.settings_dict["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    )


SEEDS = {
    "": lambda: None,
    "no file is synced": lambda: _no_fsync(of_folders=False),
    "no folder is synced": lambda: _no_fsync(of_folders=True),
    "SQLite syncs at checkpoints only": _normal,
}
"""Mistakes made on purpose, to see that the checks see them."""


if __name__ == "__main__":
    main()
