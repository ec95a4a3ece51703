"""The facts as they stood at a moment, and decisions explained and made again with them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from sharing.access.models import Glass, Grant, PassedOn, Use
from sharing.access.rules import (
    Ask,
    ConsentFacts,
    Explanation,
    Facts,
    GlassFacts,
    GrantFacts,
    Subject,
    explain,
)
from sharing.audit.services import as_it_was, keep_past
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor
from sharing.tenants.services import organizations_at, region_at

from .by_value import Uses, facts_of_consents, facts_of_grants, glass_facts
from .on_file import agreements_of, all_relations, facts_on_file, uses_of


def explain_access(
    actor: Actor, action: Action, subject: Subject, *, moment: datetime, at: datetime
) -> Explanation:
    """The decision with its precedence: in the past as the facts stood then, else as they are."""
    facts = facts_at([subject], moment) if moment < at else facts_on_file([subject])
    return explain(Ask(actor, action, subject, moment), facts)


def facts_at(subjects: Sequence[Subject], moment: datetime) -> Facts:
    """What was on file about these patients at that moment, whatever became of it since."""
    patients = {subject.patient_id for subject in subjects}
    region = region_at(moment)
    return Facts(
        consents=_consents(patients, moment),
        grants=tuple(_grants(patients, moment)),
        region=region,
        relations=all_relations(patients) if region.implied else (),
        glasses=tuple(_glasses(patients, moment)),
        agreements=agreements_of(subjects, moment) if region.agreements else (),
    )


def keep_grant(grant: Grant, at: datetime) -> None:
    """What of a grant changes while it lives, as it was until now."""
    keep_past(kind="grant", key=str(grant.pk), value=_of_grant(grant), at=at)


def _consents(patients: set[int], moment: datetime) -> tuple[ConsentFacts, ...]:
    stood = Q(ended_at=None) | Q(ended_at__gt=moment)
    known = Consent.objects.filter(stood, patient_id__in=patients, recorded_at__lte=moment)
    rows = list(known.exclude(state=ConsentState.DRAFT).order_by("pk"))
    was = as_it_was(kind="consent", keys=(row.public_id for row in rows), at=moment)
    later = _used_since(rows, moment)
    now = facts_of_consents(rows, _used_before(rows, moment), moment=moment)
    return tuple(
        replace(
            facts,
            state=ConsentState.ACTIVE,  # it ended after that moment, or not at all
            used=row.used - later[row.pk],
            lapses_at=_lapse(row, was.get(row.public_id)),
        )
        for row, facts in zip(rows, now, strict=True)
    )


def _used_before(rows: Sequence[Consent], moment: datetime) -> Uses:
    """Without the uses of that very moment: they are what was decided then."""
    return {
        which: [use for use in used if use.starts_at < moment]
        for which, used in uses_of(rows).items()
    }


def _used_since(rows: Sequence[Consent], moment: datetime) -> Counter[int]:
    uses = Use.objects.filter(consent__in=rows, starts_at__gte=moment)
    return Counter(uses.values_list("consent_id", flat=True))


def _lapse(row: Consent, was: Mapping[str, Any] | None) -> datetime | None:
    if was is None:
        return row.lapses_at
    return datetime.fromisoformat(was["lapses_at"]) if was["lapses_at"] else None


def _grants(patients: set[int], moment: datetime) -> Iterator[GrantFacts]:
    lived = Q(revoked_at=None) | Q(revoked_at__gt=moment)
    rows = Grant.objects.filter(lived, patient_id__in=patients, share__shared_at__lte=moment)
    found = list(rows.with_whom().order_by("pk"))
    was = as_it_was(kind="grant", keys=(str(row.pk) for row in found), at=moment)
    resting = _resting(found, moment)
    for row, now in zip(found, facts_of_grants(found, moment=moment), strict=True):
        facts = replace(now, revoked=False, through_active=row.pk not in resting)
        said = was.get(str(row.pk))
        yield replace(facts, **_read(said)) if said else facts


def _resting(grants: Sequence[Grant], moment: datetime) -> set[int]:
    """Those that came through an organization that was not active then."""
    rows = list(PassedOn.objects.filter(grant__in=grants).select_related("organization"))
    standing = organizations_at({row.organization.code for row in rows}, at=moment)
    return {row.grant_id for row in rows if not standing[row.organization.code].active}


def _of_grant(grant: Grant) -> dict[str, Any]:
    review = grant.review_by.isoformat() if grant.review_by else None
    return {"ends_at": grant.ends_at.isoformat(), "review_by": review}


def _read(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(said[name]) if said[name] else None
        for name in ("ends_at", "review_by")
    }


def _glasses(patients: set[int], moment: datetime) -> Iterator[GlassFacts]:
    """Those that nobody had ended then; `glass_facts` ends each at the sooner of its two ends."""
    rows = Glass.objects.filter(patients__patient_id__in=patients, starts_at__lte=moment)
    for row in rows.distinct().prefetch_related("patients").order_by("pk"):
        yield glass_facts(row)
