"""`manage.py serve` as it stands: its processes, its broker, its worker."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import live

# One process promises and looks until it's kept: to start a process takes longer than to wait.
PROMISE = """
import time
from django.utils import timezone
from sharing.outbox.models import Job
from sharing.outbox.services import promise
job, until = promise('consent.expire', at=timezone.now()), time.monotonic() + 60
while job.done_at is None and time.monotonic() < until:
    time.sleep(0.2)
    job.refresh_from_db()
print(job.done_at)
"""


def get(url: str) -> tuple[int, str]:
    """Status and body."""
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.status, response.read().decode()


def shell(portal: live.LivePortal, code: str) -> str:
    """What the Python code prints beside the running portal."""
    return portal.manage("shell", "-v", "0", "-c", code).strip()


def test_the_portal_answers_and_names_its_processes(live_portal: live.LivePortal) -> None:
    assert get(live_portal.url + "/readyz") == (200, "ok\n")
    assert get(live_portal.url + "/accounts/login/")[0] == 200
    for child in ("broker", "worker", "beat", "web"):
        assert live_portal.log().count(f"{child}: started") == 1


def test_a_promise_is_kept_by_the_worker_though_nobody_rang(live_portal: live.LivePortal) -> None:
    """Promised by a process that knows no broker: the beat's sweep finds it within seconds."""
    assert shell(live_portal, PROMISE).startswith("20"), live_portal.log()[-2000:]


def test_the_broker_is_on_a_socket_with_a_password_and_its_folder_is_closed(
    live_portal: live.LivePortal,
) -> None:
    folder = live_portal.data_dir / "broker"
    if not folder.exists():  # the path was too long for a socket: a short temporary folder instead
        pytest.skip("the broker's folder is elsewhere")
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "valkey.sock").is_socket()
    assert "requirepass" not in Path(f"/proc/{_child(live_portal, 'broker')}/cmdline").read_text()


def test_a_killed_worker_is_back_and_works(live_portal: live.LivePortal) -> None:
    os.kill(_child(live_portal, "worker"), signal.SIGKILL)
    until = time.monotonic() + 60
    while live_portal.log().count("worker: started") < 2:
        assert time.monotonic() < until
        time.sleep(0.2)
    test_a_promise_is_kept_by_the_worker_though_nobody_rang(live_portal)


def test_a_second_portal_on_the_same_folder_is_refused(live_portal: live.LivePortal) -> None:
    with pytest.raises(AssertionError, match="served from this DATA_DIR already"):
        live_portal.manage("serve", "--port", str(live.free_port()))


def test_the_answer_to_the_unknown_is_a_problem_document(live_portal: live.LivePortal) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(live_portal.url + "/api/nothing")
    with caught.value as answer:
        assert answer.code == 404
        assert json.loads(answer.read())["code"] == "absent"


def _child(portal: live.LivePortal, name: str) -> int:
    lines = [line for line in portal.log().splitlines() if line.startswith(f"{name}: started")]
    return int(lines[-1].split()[-1])
