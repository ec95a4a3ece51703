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
    UseFacts,
    explain,
)
from sharing.audit.services import as_it_was, keep_past
from sharing.consent.models import Consent
from sharing.consent.rules import ConsentState
from sharing.kernel.purposes import Action
from sharing.tenants.rules import Actor
from sharing.tenants.services import members_at, organizations_at, region_at

from .deciding import (
    agreements_of,
    all_relations,
    consent_facts,
    facts_on_file,
    glass_facts,
    grant_facts,
    uses_of,
    with_what_they_say,
)


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
    rows = list(
        with_what_they_say(Consent.objects.filter(stood, patient_id__in=patients))
        .filter(recorded_at__lte=moment)
        .exclude(state=ConsentState.DRAFT)
    )
    teams = {each.team_id for row in rows for each in row.grantees.all() if each.team_id}
    members = members_at(teams, at=moment)
    was = as_it_was(kind="consent", keys=(row.public_id for row in rows), at=moment)
    uses, later = uses_of(rows), _used_since(rows, moment)
    return tuple(
        replace(
            consent_facts(row, _before(uses, row, moment), members),
            state=ConsentState.ACTIVE,  # it ended after that moment, or not at all
            used=row.used - later[row.pk],
            lapses_at=_lapse(row, was.get(row.public_id)),
        )
        for row in rows
    )


def _before(
    uses: Mapping[tuple[int, int], list[UseFacts]], row: Consent, moment: datetime
) -> list[UseFacts]:
    """Without those of that very moment: they are what was decided then."""
    mine = uses.get((row.custodian_id, row.number), [])
    return [use for use in mine if use.starts_at < moment]


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
    related = rows.select_related("share__shared_by", "organization", "user", "team")
    found = list(related.order_by("pk"))
    members = members_at((row.team_id for row in found if row.team_id), at=moment)
    was = as_it_was(kind="grant", keys=(str(row.pk) for row in found), at=moment)
    resting = _resting(found, moment)
    for row in found:
        active = row.pk not in resting
        facts = replace(grant_facts(row, members), revoked=False, through_active=active)
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
