"""`manage.py serve`: the whole portal on this machine, in one foreground process tree."""

import fcntl
import os
import shutil
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser
from typing import Any

import redis
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from portal.broker import NoBroker, OwnBroker, own_broker
from portal.supervisor import Child, Supervisor

MEMORY = {"MALLOC_MMAP_THRESHOLD_": "16777216", "MALLOC_TRIM_THRESHOLD_": "67108864"}
"""For glibc: an image's half megabyte is not given back to the system after each request, and
fetched anew for the next one. That took a third of the time of a frame (mallopt(3))."""


class Command(BaseCommand):
    """Broker (when REDIS_URL is unset), Celery worker, Celery beat and the web server."""

    help = "Migrates, then runs broker, worker, beat and web server until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and how many processes."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--web-workers", type=int, default=2)
        parser.add_argument("--task-workers", type=int, default=2)
        parser.add_argument("--no-migrate", action="store_true", help="leave the tables alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits with the supervisor's code."""
        lock = _only_one_here()
        if not options["no_migrate"]:
            call_command("migrate", interactive=False, verbosity=0)
        if settings.PRODUCTION:
            call_command("collectstatic", interactive=False, verbosity=0)
        try:
            broker = None if settings.REDIS_URL else own_broker(settings.DATA_DIR)
        except NoBroker as error:
            raise CommandError(str(error)) from error
        environ = _environment(broker, options["port"])
        url = environ["PUBLIC_URL"]
        code = Supervisor(children(options, broker), environ, _say).run(
            lambda: _say(f"The portal is at {url}")
        )
        lock.close()
        sys.exit(code)


def children(options: dict[str, Any], broker: OwnBroker | None) -> list[Child]:
    """The processes of a portal in the order of their start; `options` as the command has them."""
    return [*_broker(broker), _worker(options), _beat(), _web(options)]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _only_one_here() -> Any:
    """Two portals on one folder would share a broker's socket and a beat's schedule."""
    lock = (settings.DATA_DIR / "serve.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError("A portal is served from this DATA_DIR already.") from None
    return lock


def _environment(broker: OwnBroker | None, port: int) -> dict[str, str]:
    environ = MEMORY | os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    if broker:
        environ["REDIS_URL"] = broker.url
    if not environ.get("PUBLIC_URL"):
        environ["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    return environ


def _broker(broker: OwnBroker | None) -> list[Child]:
    if broker is None:
        return []
    client: Any = redis.Redis.from_url(broker.url, socket_timeout=1, retry=None)

    def ready() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    return [Child("broker", broker.command, stdin=broker.config, ready=ready)]


def _celery(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "portal", "-q", *arguments)


def _nice(command: tuple[str, ...]) -> tuple[str, ...]:
    return ("nice", "-n", "10", *command) if shutil.which("nice") else command


def _worker(options: dict[str, Any]) -> Child:
    quiet = ("--without-gossip", "--without-mingle", "--loglevel=WARNING")
    # Nobody waits for what it does, so whoever waits for a page or an answer goes first.
    return Child(
        "worker",
        _nice(_celery("worker", f"--concurrency={options['task_workers']}", "-n", "w@%h", *quiet)),
    )


def _beat() -> Child:
    schedule = settings.DATA_DIR / "beat-schedule"
    pidfile = "--pidfile="  # the supervisor knows the process; a stale file would stop a restart
    return Child("beat", _celery("beat", f"--schedule={schedule}", pidfile, "--loglevel=WARNING"))


def _web(options: dict[str, Any]) -> Child:
    host, port = options["host"], options["port"]
    command = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(options["web_workers"])),
        *("--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "20"),
        *("--log-level", "warning", "portal.wsgi:application"),
    )
    address = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
    return Child("web", command, ready=lambda: _answers(f"http://{address}:{port}/healthz"))


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, headers={"Host": _public_host()})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310 - our own port
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _public_host() -> str:
    return str(settings.ALLOWED_HOSTS[0])
