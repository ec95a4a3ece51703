"""F02, F05, F08, F15, F21, F25: broker, blobs, senders, decoders and shutdowns that fail."""

import os
import signal
import socket
import threading
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import redis
from celery import current_app
from django.test import Client

from sharing.archive.models import Instance
from sharing.archive.rules import Door, Outcome
from sharing.archive.services.receiving import Incoming, receive
from sharing.audit.rules import SYSTEM
from sharing.blobs import store as blobs
from sharing.dicom import child
from sharing.dicom.errors import CannotRender
from sharing.outbox import services as outbox
from sharing.outbox.models import Job
from sharing.outbox.rules import MAX_ATTEMPTS, wait_after
from sharing.partners.services import issue_token
from tests.archive.sending import send
from tests.cast import NOW, Region
from tests.durability.rig import Rig
from tests.durability.sending import STUDIES, Answer, made, multipart, retrieve, store, stored

RIG = pytest.mark.xdist_group("durability")
AS = "HTTP_AUTHORIZATION"


@pytest.fixture
def token(region: Region) -> str:
    """Of a machine of Riverside's that stores and reads."""
    scopes = ["dicomweb.read", "dicomweb.write"]
    issued = issue_token(organization=region.riverside, name="ct", scopes=scopes, at=NOW)
    return f"Bearer {issued}"


@pytest.fixture
def own_store(settings: Any, tmp_path: Path) -> Path:
    """A store in which other tests left nothing; its scratch folder."""
    settings.BLOB_STORAGE, settings.SCRATCH_DIR = str(tmp_path / "blobs"), tmp_path / "scratch"
    return tmp_path / "scratch"


@RIG
def test_without_a_broker_storing_and_reading_go_on_and_no_task_is_lost(portal: Rig) -> None:
    """Flushed, then killed: what was promised meanwhile is done once it is back."""
    portal.ensure("broker", "worker", "beat", "web")
    item = made("broker", 0)
    client = redis.Redis.from_url(portal.environ["REDIS_URL"])
    client.flushall()
    client.close()
    portal.kill("broker")
    began = time.monotonic()
    assert stored(store(portal.port, portal.token, [item])) == {item.sop}
    assert retrieve(portal.port, portal.token, item).body == item.raw
    assert time.monotonic() - began < 15
    portal.start("broker")
    until = time.monotonic() + 90
    while portal.ask("GET", "/dicomweb/studies?StudyInstanceUID=" + item.study).status != 200:
        assert time.monotonic() < until
    while "owed" in (jobs := portal.truth()["jobs"]) or "parked" in jobs:
        assert time.monotonic() < until, (jobs, portal.log("worker"), portal.log("beat"))
        portal.ensure("worker", "beat")  # whoever ended with the broker: the supervisor's part
        time.sleep(1)


@RIG
def test_a_request_on_its_way_is_answered_before_the_server_ends(portal: Rig) -> None:
    """SIGTERM between two halves of a body: the sender gets its answer, and it is true."""
    portal.ensure("broker", "web")
    item, answers = made("drain", 0, side=400), []
    body, headers = multipart([item])

    def half_by_half() -> None:
        lines = [f"POST {STUDIES} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"Authorization: Bearer {portal.token}", "Connection: close"]
        lines += [f"Content-Type: {headers['Content_Type']}", "", ""]
        with socket.create_connection(("127.0.0.1", portal.port), timeout=60) as line:
            line.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            seen = b""
            while not seen.endswith(b"\r\n\r\n"):
                seen += line.recv(65536)
            assert seen.startswith(b"HTTP/1.1 200")  # a worker has this connection
            line.sendall("\r\n".join(lines).encode() + body[: len(body) // 2])
            ready.set()
            told.wait(20)
            time.sleep(1)
            line.sendall(body[len(body) // 2 :])
            raw = b"".join(iter(lambda: line.recv(65536), b""))
        head, _, rest = raw.partition(b"\r\n\r\n")
        answers.append(Answer(int(head.split()[1]), {}, rest))

    ready, told = threading.Event(), threading.Event()
    sender = threading.Thread(target=half_by_half)
    sender.start()
    ready.wait(20)
    time.sleep(1)
    web = portal.running["web"]
    web.send_signal(signal.SIGTERM)
    told.set()
    sender.join(60)
    assert web.wait(30) is not None
    portal.start("web")
    portal.wait_until_ready()
    assert [answer.status for answer in answers] == [200]
    assert retrieve(portal.port, portal.token, item).body == item.raw


def test_a_lost_blob_is_told_for_its_object_alone(
    own_store: Path, region: Region, client: Client, token: str
) -> None:
    """A typed 503 for that one; the other object, searching and metadata are served."""
    lost, other = made("lost", 0), made("lost", 1)
    for item in (lost, other):
        body, names = multipart([item])
        client.post(STUDIES, body, content_type=names["Content_Type"], **{AS: token})
    blobs().delete(Instance.objects.get(sop_uid=lost.sop).blob)
    for path in (lost.path, f"{lost.path}/frames/1", f"{lost.path}/rendered"):
        answer = client.get(path, **{AS: token})
        assert (answer.status_code, answer.json()["code"]) == (503, "blob_unavailable"), path
    assert client.get(other.path, **{AS: token}).status_code == 200
    for path in (f"{lost.path}/metadata", f"{STUDIES}?StudyInstanceUID={lost.study}"):
        assert client.get(path, **{AS: token}).status_code == 200, path


def test_a_sender_that_is_gone_leaves_nothing_half(
    own_store: Path, region: Region, client: Client, token: str
) -> None:
    """Cut at each hundredth: no row is torn, no scratch stays, all may come again."""
    items = [made("cut", number, side=64) for number in range(3)]
    body, names = multipart(items)
    how = {"content_type": names["Content_Type"], AS: token}
    for percent in range(1, 100):
        part = body[: len(body) * percent // 100]
        answer = client.generic(
            "POST", STUDIES, part, CONTENT_LENGTH=str(len(body)),
            **{"wsgi.input": BytesIO(part)}, **how,
        )  # fmt: skip
        assert answer.status_code in (200, 202, 400, 409), percent
        assert list(own_store.glob("tmp*")) == [], percent
    assert client.post(STUDIES, body, **how).status_code == 200
    for item in items:
        row = Instance.objects.get(sop_uid=item.sop)
        assert blobs().read(row.blob, row.offset, row.length) == item.raw


def test_of_a_zip_that_is_cut_off_what_is_whole_is_kept_and_said_so(
    own_store: Path, region: Region
) -> None:
    """Cut at each hundredth: each line of the receipt is an image that is there, or a reason."""
    items = [made("zip", number, side=24) for number in range(3)]
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as packed:
        for number, item in enumerate(items):
            packed.writestr(f"{number}.dcm", item.raw)
    raw, sent = whole.getvalue(), {item.sop: item.raw for item in items}
    for percent in range(101):
        part = Incoming("disc.zip", [raw[: len(raw) * percent // 100]])
        how = {"door": Door.UPLOAD, "sender": "test", "by": SYSTEM, "at": NOW}
        lines = receive(organization=region.riverside, files=[part], **how).items
        assert lines, percent
        for line in lines:
            there = line.outcome in (Outcome.STORED, Outcome.DUPLICATE)
            assert there or (line.outcome == Outcome.REJECTED and line.reason), percent
        assert list(own_store.glob("tmp*")) == [], percent
    rows = {row.sop_uid: row for row in Instance.objects.all()}
    kept = {uid: blobs().read(row.blob, row.offset, row.length) for uid, row in rows.items()}
    assert kept == sent


def test_a_killed_decoder_is_one_clear_error_and_nothing_else(
    region: Region, real_data: Path, client: Client, token: str
) -> None:
    """The child dies at its work; the request is refused, the next one is drawn by another."""
    send(region, real_data / "single/pydicom_JPEG-LL.dcm")
    row = Instance.objects.select_related("series__study").get()
    study, series = row.series.study.study_uid, row.series.series_uid
    path = f"{STUDIES}/{study}/series/{series}/instances/{row.sop_uid}/rendered"
    assert client.get(path, **{AS: token}).status_code == 200
    pids = [slot._process.pid for slot in child._ours()._slots.queue if slot]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    statuses = [client.get(path, **{AS: token}).status_code for _ in range(len(pids) + 2)]
    assert set(statuses[: len(pids)]) <= {200, 406}
    assert statuses[len(pids) :] == [200, 200]


def test_a_poisonous_job_is_parked_and_the_others_are_done(db: None) -> None:
    """One in ten crashes each time; after five tries it is set apart, in sight."""
    done: list[int] = []

    @current_app.task(name="test.poison", shared=False)
    def work(number: int) -> None:
        if number == 3:
            raise CannotRender("undecodable")
        done.append(number)

    at = NOW
    jobs = [outbox.promise("test.poison", at=at, number=number) for number in range(10)]
    for attempt in range(1, MAX_ATTEMPTS + 2):
        for job in jobs:
            outbox.run(job_id=job.pk, at=at)
        at += wait_after(attempt) + timedelta(seconds=1)
    current_app.tasks.pop("test.poison")
    assert done == [number for number in range(10) if number != 3]
    parked = Job.objects.exclude(parked_at=None).get()
    assert (parked.ids, parked.attempts) == ({"number": 3}, MAX_ATTEMPTS)
