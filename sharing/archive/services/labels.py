"""Labels by a person: adding one, lifting one, and what was ever said of a study."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from sharing.archive.errors import LabelInvalid, LabelNotFound
from sharing.archive.models import Labelling, Study
from sharing.archive.sensing import column
from sharing.audit.services import record
from sharing.kernel.sensitivity import Label, known_labels
from sharing.tenants.rules import Actor, Duty

from .labelling import LABELS_MOST
from .leaving import lock_own, own_study


def study_to_label(actor: Actor, *, public_id: str, at: datetime) -> Study:
    """The own study that a page asks about. Raises NotAllowed, StudyNotFound."""
    return own_study(actor, public_id=public_id, at=at, duty=Duty.LABEL)


def labels_of(study: Study) -> Sequence[Labelling]:
    """All that was ever said of a study that was opened, what stands first, then newest first."""
    found = Labelling.objects.on(study.organization_id, study.study_uid)
    return sorted(
        found.select_related("rule"), key=lambda row: (row.lifted_at is not None, -row.pk)
    )


@transaction.atomic
def add_label(
    actor: Actor, *, public_id: str, label: Label, reason: str, at: datetime
) -> Labelling:
    """Say that an own study is sensitive. Raises NotAllowed, StudyNotFound, LabelInvalid."""
    words = _words(reason)
    study = lock_own(actor, public_id=public_id, at=at, duty=Duty.LABEL)
    standing = Labelling.objects.on(study.organization_id, study.study_uid).standing()
    if standing.filter(label=label).exists():
        raise LabelInvalid("The study has this label already.")
    made = Labelling.objects.create(
        organization_id=study.organization_id,
        study_uid=study.study_uid,
        label=label,
        set_by=actor.name,
        set_at=at,
        reason=words,
    )
    _make_column(study)
    _record(actor, "study.label", study, made, at)
    return made


@transaction.atomic
def lift_label(
    actor: Actor, *, public_id: str, labelling_id: str, why: str, at: datetime
) -> Labelling:
    """Take a label off an own study; no rule of before sets it again.

    Raises NotAllowed, StudyNotFound, LabelNotFound, LabelInvalid.
    """
    words = _words(why)
    study = lock_own(actor, public_id=public_id, at=at, duty=Duty.LIFT_LABEL)
    row = (
        Labelling.objects.on(study.organization_id, study.study_uid)
        .standing()
        .filter(public_id=labelling_id)
        .first()
    )
    if row is None:
        raise LabelNotFound()
    row.lifted_at, row.lifted_by, row.lifted_why = at, actor.name, words
    row.save(update_fields=["lifted_at", "lifted_by", "lifted_why"])
    _make_column(study)
    _record(actor, "study.lift_label", study, row, at)
    return row


def _make_column(study: Study) -> None:
    """The study's column says what stands, in the vocabulary's order."""
    standing = Labelling.objects.on(study.organization_id, study.study_uid).standing()
    held = known_labels(set(standing.values_list("label", flat=True)))
    study.labels = column(held, LABELS_MOST)
    study.save(update_fields=["labels"])


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 300:
        raise LabelInvalid("Say in a few words why.")
    return words


def _record(actor: Actor, action: str, study: Study, row: Labelling, at: datetime) -> None:
    detail = {"label": row.label, "by": "person"}
    record(who=actor.who, action=action, at=at, what=replace(study.subject.what, detail=detail))
