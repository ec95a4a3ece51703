"""Run in the folder of a rig: what the database says against what the store holds (JSON).

`--settle` lets the time of leases pass and keeps every promise that is due, as a worker that was
started again would, before it looks.
"""

import hashlib
import json
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import django

from sharing.kernel import scope

PASSES = 500
"""More than all pictures of a soak need; jobs that promise each other for ever end here."""


def settle() -> None:
    """Keep all promises: the leases of killed workers have ended, what failed has rested."""
    from django.utils import timezone

    from portal import celery_app
    from sharing.outbox import services
    from sharing.outbox.models import Job

    celery_app.loader.import_default_modules()
    Job.objects.filter(done_at=None).update(leased_until=None)
    at = timezone.now() + timedelta(hours=1)
    for _ in range(PASSES):  # a job may promise the next one, as pictures do a few at a time
        due = list(Job.objects.due(at).values_list("pk", flat=True))
        if not due:
            break
        for job_id in due:
            services.run(job_id=job_id, at=at)


def look() -> dict[str, Any]:
    """Rows with the hash of their bytes, and everything that does not agree."""
    from django.db.models import Count, F, Sum

    from sharing.archive.models import Instance, Series, Study
    from sharing.audit.models import Event
    from sharing.blobs import store
    from sharing.outbox.models import Job

    rows: dict[str, str] = {}
    torn = []
    columns = ("sop_uid", "sha256", "blob", "offset", "length")
    for sop, sha256, *where in Instance.objects.order_by("blob", "offset").values_list(*columns):
        rows[sop] = sha256
        if _sha256(store(), *where) != sha256:
            torn.append(sop)
    studies = Study.objects.annotate(found=Count("series__instances", distinct=True))
    series = Series.objects.annotate(found=Count("instances"))
    received = Event.objects.filter(action="study.receive").values_list("detail", flat=True)
    named = set(Instance.objects.values_list("blob", flat=True))
    return {
        "rows": rows,
        "torn": torn,
        "unsettled": studies.exclude(state="complete").count(),
        "miscounted_studies": studies.exclude(instance_count=F("found")).count(),
        "miscounted_series": series.exclude(instance_count=F("found")).count(),
        "series_of_studies": [
            Study.objects.aggregate(n=Sum("series_count"))["n"] or 0,
            Series.objects.count(),
        ],
        "told_in_log": sum(detail["instances"] for detail in received),
        "jobs": Counter(_state(job) for job in Job.objects.all()),
        "owed": list(
            Job.objects.filter(done_at=None).values_list("task", "attempts", "last_error")[:5]
        ),
        "orphans": sum(key not in named for key in store().keys()),  # noqa: SIM118 - no mapping
    }


def _state(job: Any) -> str:
    if job.done_at or job.parked_at:
        return "done" if job.done_at else "parked"
    return "owed"


def _sha256(blobs: Any, blob: str, offset: int, length: int) -> str | None:
    from sharing.blobs import BlobMissing, pieces

    digest = hashlib.sha256()
    try:
        for piece in pieces(blobs, blob, offset, length):
            digest.update(piece)
    except (BlobMissing, OSError):
        return None
    return digest.hexdigest()


if __name__ == "__main__":
    django.setup()
    with scope.as_house():
        if "--settle" in sys.argv:
            settle()
        print(json.dumps(look()))
