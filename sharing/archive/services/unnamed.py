"""Copies that name nobody: how many there are to have, and an export of them, made while it is
sent (ADR-019).

Who takes one is told of no study, patient or custodian: they choose a kind of image, and what the
patients permitted for such copies comes under names that this export alone gives.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from django.conf import settings
from django.db import Error, transaction
from django.db.models import Count

from sharing.access.rules import Decision
from sharing.access.services import decide_one, is_counted, use
from sharing.archive.errors import StudyNotFound, TooMany, TooManyCopies
from sharing.archive.models import Series, Study, StudyQuerySet
from sharing.audit.errors import LogAway
from sharing.audit.rules import UNNAMED_COPY
from sharing.audit.services import record
from sharing.consent.models import Consent
from sharing.consent.rules import Decision as Said
from sharing.dicom.child import CHILD
from sharing.dicom.errors import REASONS, MayName
from sharing.dicom.nameless import KINDS, PROFILE, Aliases, nameless
from sharing.kernel import scope
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.kernel.tokens import public_id
from sharing.tenants.errors import NotAllowed
from sharing.tenants.rules import Actor

from .locating import Where
from .minutes import count_in_minute
from .retrieving import Opened, OpenStudy, Stored, Watch, objects, ready

MOST, A_MINUTE = 500, 6
"""Studies in one export; exports that one person begins in a minute."""
IN_MEMORY, PIECE = 16 * 1024 * 1024, 1024 * 1024
PROMISE = "Who holds these copies does not try to find out who the patients are."
LEFT_ALONE = "Pixels are as they were: a face could be drawn from a scan of a head."
Files = Iterator[tuple[str, Iterator[bytes]]]


@dataclass(frozen=True)
class Kind:
    """Images of one modality: of how many studies, and how many."""

    modality: str
    studies: int
    images: int


def kinds_to_copy(actor: Actor, *, at: datetime) -> list[Kind]:
    """What the actor may have copies of without names, most first; counted over that alone.

    Raises NotAllowed for who does not act for research.
    """
    require_research(actor)
    counted = (
        _fitting(actor, "", at)
        .values_list("modality")
        .annotate(studies=Count("study", distinct=True), images=Count("instances"))
    )
    found = [Kind(*row) for row in counted.order_by() if row[0]]
    return sorted(found, key=lambda kind: (-kind.studies, kind.modality))


def export_unnamed(
    actor: Actor, *, modality: str, clock: Callable[[], datetime], request_id: str = ""
) -> "Export":
    """An export whose first study is open and in the log; the others follow as they are sent.

    Raises NotAllowed, TooMany, TooManyCopies, LogAway; and StudyNotFound where there is nothing.
    """
    require_research(actor)
    if count_in_minute("exports", f"{actor.kind}:{actor.id}", clock()) > A_MINUTE:
        raise TooMany()
    rows = _fitting(actor, modality, clock()).order_by().values_list("study_id", flat=True)
    studies = list(rows.distinct()[: MOST + 1])
    if len(studies) > MOST:
        raise TooManyCopies()
    export = Export(actor, modality, clock, request_id)
    export.begin(studies)
    return export


def require_research(actor: Actor) -> None:
    """Raise NotAllowed for who does not act for research."""
    if actor.purpose != Purpose.RESEARCH:
        raise NotAllowed()


def _fitting(actor: Actor, modality: str, at: datetime) -> Any:
    """The series of that modality, blank for all, that hold images of kinds that can be copied."""
    inside = copies_in_sight(actor, at)
    found = Series.objects.filter(study__in=inside, instances__sop_class_uid__in=KINDS)
    return found.filter(modality=modality) if modality else found


def copies_in_sight(actor: Actor, at: datetime) -> StudyQuerySet:
    """The studies of which the actor may take copies without names for research.

    The fence says which. It is asked of those alone whose patient permits some research: without
    that nothing opens them for it, and there may be many.
    """
    said = Consent.objects.in_force(at).filter(decision=Said.PERMIT).for_purpose(Purpose.RESEARCH)
    some = Study.objects.filter(patient__in=said.values("patient_id"))
    return some.visible_to(actor, at, Action.DOWNLOAD, deidentified=True).order_by()


@dataclass
class Export:
    """One: its key is made for it and goes with it."""

    actor: Actor
    modality: str
    clock: Callable[[], datetime]
    request_id: str
    name: str = field(default_factory=lambda: public_id())
    key: bytes = field(default_factory=lambda: new_key(), repr=False)
    told: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def begin(self, studies: Sequence[int]) -> None:
        """Open the first study that may still be had. Raises StudyNotFound, LogAway."""
        self._rest = self._opened(studies)
        self._first = next(self._rest, None)
        if self._first is None:
            raise StudyNotFound()

    def files(self) -> Files:
        """Each image under a name of this export's, at last what is in it. Only once."""
        held = [self._first] if self._first else []
        for number, study in enumerate(chain(held, self._rest), 1):
            yield from self._files_of(study, f"study-{number:04}")
        yield "manifest.json", iter([self._manifest()])

    def _opened(self, studies: Sequence[int]) -> Iterator[Study]:
        """Those that may be had when their turn comes, in an order that tells nothing."""
        for pk in sorted(studies, key=lambda pk: self._aliases(str(pk)).name):
            study = _open(self.actor, pk, self, at=self.clock())
            if study is not None:
                yield study

    def alias_of(self, study: Study) -> str:
        """The study's UID in this export."""
        return self._aliases(study.patient.public_id).uid(study.study_uid)

    def _aliases(self, patient: str) -> Aliases:
        return Aliases(self.key, patient)

    def _files_of(self, study: Study, folder: str) -> Files:
        """Its images, none begun after the actor lost it. Raises BlobUnavailable."""
        aliases, held = self._aliases(study.patient.public_id), self._objects(study)
        ready(held)
        watch = Watch(
            self.actor, study.public_id, self.clock, Action.DOWNLOAD, begin_seconds=0, unnamed=True
        )
        images: list[dict[str, str]] = []
        self.told.append(
            {"patient": aliases.name, "study_uid": self.alias_of(study), "images": images}
        )
        for number, stored in enumerate(held, 1):
            with _aside() as out:
                digest = self._written(stored, aliases, out)
                stored.forget()
                if digest:
                    name = f"{folder}/{number:05}.dcm"
                    uid = aliases.uid(stored.sop_uid)
                    images.append({"file": name, "sha256": digest, "sop_instance_uid": uid})
                    yield name, watch.over(_pieces(out))

    def _objects(self, study: Study) -> list[Stored]:
        """Those of the chosen modality and of kinds that can be copied; others are counted."""
        row = OpenStudy(study.pk, study.public_id, study.study_uid, study.organization.code, "")
        meant = Series.objects.filter(study=study)
        if self.modality:
            meant = meant.filter(modality=self.modality)
        series = set(meant.values_list("series_uid", flat=True))
        here = [each for each in _stored(row) if each.series_uid in series]
        fit = [each for each in here if each.sop_class_uid in KINDS]
        self.left_out["kind_may_name"] += len(here) - len(fit)
        return fit

    def _written(self, stored: Stored, aliases: Aliases, out: IO[bytes]) -> str:
        """The hash of the copy that now lies in `out`; blank where the object can't be copied."""
        digest = hashlib.sha256()
        try:
            for piece in nameless(stored.scanned, stored.plain_range, aliases, CHILD):
                out.write(piece)
                digest.update(piece)
        except MayName as wrong:
            self.left_out[wrong.code] += 1
            return ""
        out.seek(0)
        return digest.hexdigest()

    def _manifest(self) -> bytes:
        """What is inside, under which names, and what was left out and why."""
        out = [
            {"reason": REASONS[code], "objects": count}
            for code, count in sorted(self.left_out.items())
            if count
        ]
        said = {
            "copy": self.name,
            "made_at": self.clock().isoformat(),
            "profile": PROFILE,
            "promise": PROMISE,
            "pixels": LEFT_ALONE,
            "studies": self.told,
            "left_out": out,
        }
        return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def new_key() -> bytes:
    """Of one export; with it goes whatever could tell its names."""
    return secrets.token_bytes(32)


def _stored(row: OpenStudy) -> list[Stored]:
    return objects(Opened(row, Where(row.study_uid, "", "", row.custodian)))


def _aside() -> IO[bytes]:
    """Where a copy lies until all of it is there; gone once it is closed."""
    folder = Path(settings.SCRATCH_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return SpooledTemporaryFile(IN_MEMORY, dir=str(folder))


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    while piece := out.read(PIECE):
        yield piece


@scope.as_house()  # a use of another's consent is written down
def _open(actor: Actor, pk: int, export: Export, *, at: datetime) -> Study | None:
    """The study, decided anew, its use counted and in the log; None where it may not be had now.

    Raises LogAway: what is not in the log does not leave.
    """
    study = Study.objects.with_owners().filter(pk=pk).first()
    if study is None:
        return None
    try:
        with transaction.atomic():
            return study if _given(actor, study, export, at) else None
    except Error as error:
        raise LogAway() from error


def _given(actor: Actor, study: Study, export: Export, at: datetime) -> bool:
    decision = _decided(actor, study, at)
    if not decision.allowed:
        return False
    detail = {"copy": export.name, "as": export.alias_of(study)}
    record(
        who=decision.who(actor),
        action=UNNAMED_COPY,
        at=at,
        what=replace(study.subject.what, detail=detail),
        ground=decision.ground,
        request_id=export.request_id,
    )
    return True


def _decided(actor: Actor, study: Study, at: datetime) -> Decision:
    """A copy can't carry its reader's name: where that is asked for, there is none."""
    subject, action = study.subject, Action.DOWNLOAD
    decision = decide_one(actor, action, subject, at=at, deidentified=True)
    if Obligation.WATERMARK in decision.obligations:
        return replace(decision, allowed=False)
    if is_counted(decision, action):
        return use(actor, action, subject, at=at, deidentified=True)
    return decision
