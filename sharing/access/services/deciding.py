"""Deciding with the facts on file."""

from collections.abc import Sequence
from datetime import datetime

from sharing.access.models import Grant
from sharing.access.rules import (
    Ask,
    ConsentFacts,
    Decision,
    Facts,
    GrantFacts,
    Named,
    Subject,
    decide,
)
from sharing.consent.models import Consent
from sharing.consent.rules import Axis, ConsentState, GranteeKind
from sharing.consent.rules import Decision as Said
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Actor, Role
from sharing.tenants.services import region_settings


def decide_one(actor: Actor, action: Action, subject: Subject, *, at: datetime) -> Decision:
    """The decision about one study, with all that is on file now."""
    return decide(Ask(actor, action, subject, at), facts_on_file([subject]))


def decide_many(
    actor: Actor, action: Action, subjects: Sequence[Subject], *, at: datetime
) -> list[Decision]:
    """The decisions about many studies, in their order, with three queries in all."""
    facts = facts_on_file(subjects)
    return [decide(Ask(actor, action, subject, at), facts) for subject in subjects]


def facts_on_file(subjects: Sequence[Subject]) -> Facts:
    """All consents and grants in force about these patients, by value."""
    patients = {subject.patient_id for subject in subjects}
    consents = (
        Consent.objects.filter(patient_id__in=patients, state=ConsentState.ACTIVE)
        .select_related("custodian")
        .prefetch_related("grantees__organization", "grantees__user", "terms")
        .order_by("pk")
    )
    grants = (
        Grant.objects.filter(patient_id__in=patients, revoked_at=None)
        .select_related("share__shared_by", "organization", "user")
        .order_by("pk")
    )
    return Facts(
        consents=tuple(consent_facts(consent) for consent in consents),
        grants=tuple(grant_facts(grant) for grant in grants),
        region=region_settings(),
    )


def consent_facts(consent: Consent) -> ConsentFacts:
    """A consent's row with its grantees and terms, by value."""
    said: dict[str, set[str]] = {}
    for term in consent.terms.all():
        said.setdefault(term.axis, set()).add(term.value)
    return ConsentFacts(
        key=consent.key,
        decision=Said(consent.decision),
        custodian_id=consent.custodian_id,
        patient_id=consent.patient_id,
        starts_at=consent.starts_at,
        ends_at=consent.ends_at,
        grantees=tuple(
            Named(
                GranteeKind(grantee.kind),
                grantee.organization_id,
                grantee.user_id,
                str(grantee.organization or grantee.user or ""),
            )
            for grantee in consent.grantees.all()
        ),
        purposes=frozenset(said.get("purpose", ())),
        actions=frozenset(said.get("action", ())),
        state=ConsentState(consent.state),
        studies=frozenset(said.get(Axis.STUDY, ())),
        modalities=frozenset(said.get(Axis.MODALITY, ())),
        performers=frozenset(said.get(Axis.PERFORMING_ORGANIZATION, ())),
        data_from=consent.data_from,
        data_until=consent.data_until,
    )


def grant_facts(grant: Grant) -> GrantFacts:
    """A grant's row, by value."""
    grantee = Named(
        GranteeKind(grant.grantee_kind),
        grant.organization_id,
        grant.user_id,
        str(grant.user or grant.organization or ""),
    )
    return GrantFacts(
        key=grant.share.public_id,
        custodian_id=grant.custodian_id,
        patient_id=grant.patient_id,
        study_uid=grant.study_uid,
        grantee=grantee,
        purpose=Purpose(grant.purpose),
        actions=grant.action_set,
        starts_at=grant.starts_at,
        ends_at=grant.ends_at,
        shared_by=grant.share.shared_by.name,
        revoked=grant.revoked_at is not None,
        review_by=grant.review_by,
    )


def physician_of(
    organization: Organization,
    purpose: Purpose,
    *,
    roles: frozenset[Role] = frozenset({Role.PHYSICIAN}),
    user: User | None = None,
) -> Actor:
    """Anybody there who treats patients, or one of them: whom a preview asks for."""
    return Actor(
        kind="user",
        id="",
        name="",
        organization_id=organization.pk,
        organization_code=organization.code,
        organization_name=organization.name,
        organization_mark=organization.mark,
        purpose=purpose,
        roles=roles,
        user_id=user.pk if user else None,
    )
