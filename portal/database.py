"""PostgreSQL that is away is told within two seconds, never waited for (reliability.md, F04).

A stopped server, or one behind a dead network, takes a query and says nothing. A slow query looks
the same from here, so after a second of silence the server itself is asked for a sign of life.
"""

import logging
import select
import socket
import struct
import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import errors, generators
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

from sharing.kernel import scope

log = logging.getLogger(__name__)
SILENCE = 1.0
"""Seconds without a byte after which the server is asked whether it lives, and again each time."""
SIGN_OF_LIFE = 0.5
"""Seconds that it may take to say so."""
POOL = {"min_size": 1, "max_size": 10, "timeout": 1.5, "reconnect_timeout": 3.0}
"""Seconds: how long a request waits for a connection, and how long a dead one is tried again before
the next request tries afresh. The pool's own rest between tries grows to minutes otherwise."""
CONNECT = {"connect_timeout": 2, "keepalives_idle": 10, "keepalives_interval": 3,
           "keepalives_count": 3, "tcp_user_timeout": 10_000, "options": "-c jit=off"}  # fmt: skip
"""Compiling a fence to machine code takes a quarter of a second, and no query of ours runs longer
than that for want of it."""
_SETTLED = (TransactionStatus.IDLE, TransactionStatus.INTRANS)
_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # answered before any sign-in, by one byte


class Watchful(psycopg.Connection[Any]):
    """A connection whose waits end when the server no longer answers anybody.

    And which asks in the scope of whoever asks (`sharing.kernel.scope`): before whatever is sent,
    the server is told when the scope is another than it knows. A connection that went back to the
    pool keeps the last scope, and whoever gets it next is compared with that.
    """

    _told = scope.NOBODY
    _told_inside = False
    """Told inside a transaction: the server forgets it with a rollback, also to a savepoint."""

    def wait(self, gen: Any, *args: Any, **how: Any) -> Any:
        """As psycopg's. Raises OperationalError, with the connection closed, when it is away."""
        if self._told_inside or self._told != scope.current():
            gen = self._in_scope(gen)
        return super().wait(self._watched(gen), *args, **how)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        """The same steps; a step that finds nothing ready (each 0.1 s) looks at the clock."""
        quiet_since, ready = time.monotonic(), None
        while True:
            try:
                step = gen.send(ready)
            except StopIteration as end:
                return end.value
            ready = yield step
            if not ready and time.monotonic() - quiet_since > SILENCE:
                self._must_live()
            if ready or time.monotonic() - quiet_since > SILENCE:
                quiet_since = time.monotonic()

    def _in_scope(self, gen: Any) -> Generator[Any, Any, Any]:
        """The same steps, after the server was told for whom they are.

        Not while it is busy, nor in a transaction that failed: there it answers no question.
        """
        status, pipeline = self.pgconn.transaction_status, self.pgconn.pipeline_status
        if status in _SETTLED and pipeline == PipelineStatus.OFF:
            wanted = scope.current()
            self.pgconn.send_query(_telling(wanted))
            for answer in (yield from generators.execute(self.pgconn)):
                if answer.status != ExecStatus.COMMAND_OK:
                    raise errors.error_from_result(answer)
            self._told, self._told_inside = wanted, status == TransactionStatus.INTRANS
        return (yield from gen)

    def _must_live(self) -> None:
        if answers(self.pgconn.host.decode(), self.pgconn.hostaddr.decode(), self.pgconn.port):
            return
        self.pgconn.finish()
        raise psycopg.OperationalError("the database server does not answer")

    def execute(self, query: Any, *args: Any, **how: Any) -> Any:
        """As psycopg's; the pool's empty query before each use costs no way to the server.

        A server that ended leaves its connections readable; one that is silent is found by `wait`.
        """
        if isinstance(query, str) and not query:
            return self._look()
        return super().execute(query, *args, **how)

    def _look(self) -> psycopg.Cursor[Any]:
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        if poll.poll(0):
            self.pgconn.consume_input()  # raises when it was the end
        return self.cursor()


def _telling(wanted: str) -> bytes:
    here = scope.organization(wanted)
    return f"SET portal.scope TO '{wanted}'; SET portal.organization TO '{here}'".encode("ascii")


def answers(host: str, address: str, port: bytes) -> bool:
    """Whether a PostgreSQL server there says anything at all within SIGN_OF_LIFE seconds."""
    number = int(port or b"5432")
    is_local = host.startswith(("/", "@"))
    family = socket.AF_UNIX if is_local else socket.AF_INET6 if ":" in address else socket.AF_INET
    where: Any = f"{host}/.s.PGSQL.{number}" if is_local else (address or host, number)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as ask:
            ask.settimeout(SIGN_OF_LIFE)
            ask.connect(where)
            ask.sendall(_SSL_REQUEST)
            return bool(ask.recv(1))
    except OSError:
        log.warning("the database server gives no sign of life")
        return False
