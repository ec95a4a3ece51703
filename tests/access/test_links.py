"""Whoever bears a link sees what was given by it, inside a consent that lets links be given."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sharing.access.models import Grant, Share
from sharing.access.rules import Ask, ConsentFacts, Facts, GrantFacts, Named, Rule, Subject, decide
from sharing.archive.models import Study
from sharing.consent.rules import Decision as Said
from sharing.consent.rules import GranteeKind
from sharing.consent.services import Whom
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor, Role
from tests.cast import NOW, Region

STUDY = Subject(custodian_id=1, custodian="riverside", patient_id=7, patient="pat",
                study="s", study_uid="2.25.7")  # fmt: skip
BEARER = Actor(kind="link", id="this-link", name="A link", organization_id=1,
               organization_code="riverside", organization_name="Riverside", organization_mark="RV",
               purpose=Purpose.TREATMENT, roles=frozenset({Role.BEARER}))  # fmt: skip


def consent(kind: GranteeKind, said: Said = Said.PERMIT) -> ConsentFacts:
    """Pat's, about looking at everything, to treat."""
    return ConsentFacts(
        key="C-1 v1", decision=said, custodian_id=1, patient_id=7,
        starts_at=NOW - timedelta(days=1), ends_at=None, grantees=(Named(kind),),
        purposes=frozenset({Purpose.TREATMENT}),
        actions=frozenset({Action.DISCOVER, Action.IMAGES}),
    )  # fmt: skip


def given_by(link: str) -> GrantFacts:
    """The study, given away by that link."""
    return GrantFacts(
        key=link, custodian_id=1, patient_id=7, study_uid="2.25.7",
        grantee=Named(GranteeKind.LINK, link=link), purpose=Purpose.TREATMENT,
        actions=frozenset({Action.IMAGES}), starts_at=NOW, ends_at=NOW + timedelta(days=1),
        shared_by="Ada",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("consents", "grants", "allowed"),
    [
        ((consent(GranteeKind.LINK),), (given_by("this-link"),), True),
        ((consent(GranteeKind.LINK),), (given_by("another"),), False),
        ((consent(GranteeKind.LINK),), (), False),
        ((consent(GranteeKind.EVERYONE),), (), False),
        ((consent(GranteeKind.NAMED_BY_CUSTODIAN),), (given_by("this-link"),), False),
        ((), (given_by("this-link"),), False),
        (
            (consent(GranteeKind.LINK), consent(GranteeKind.EVERYONE, Said.DENY)),
            (given_by("this-link"),),
            False,
        ),
    ],
)
def test_a_link_opens_what_was_given_by_it_and_nothing_else(
    consents: tuple[ConsentFacts, ...], grants: tuple[GrantFacts, ...], allowed: bool
) -> None:
    found = decide(Ask(BEARER, Action.IMAGES, STUDY, NOW), Facts(consents, grants))
    assert found.allowed is allowed


def test_a_link_without_a_name_opens_nothing() -> None:
    """A blank is no link, on neither side."""
    facts = Facts((consent(GranteeKind.LINK),), (given_by(""),))
    nobody = replace(BEARER, id="")
    assert decide(Ask(nobody, Action.IMAGES, STUDY, NOW), facts).basis.rule == Rule.IMPLICIT_POLICY


def test_the_list_of_a_bearer_holds_what_was_given_by_that_link(region: Region) -> None:
    """Two links were given away, each with a study; the rows are all that tells them apart."""
    first, second = region.study(), region.study()
    region.permit(organizations=(), others=(Whom(GranteeKind.LINK),))
    for study, name in ((first, "this-link"), (second, "another")):
        made = Share.objects.create(
            public_id=name, custodian=region.riverside, shared_by=region.ada.user,
            purpose=Purpose.TREATMENT, shared_at=NOW,
        )  # fmt: skip
        Grant.objects.create(
            share=made, custodian=region.riverside, patient=region.pat, study_uid=study.study_uid,
            grantee_kind=GranteeKind.LINK, purpose=Purpose.TREATMENT, actions="|discover|images|",
            starts_at=NOW, ends_at=NOW + timedelta(days=1),
        )  # fmt: skip
    bearer = replace(BEARER, organization_id=region.riverside.pk)
    for name, seen in (("this-link", [first]), ("another", [second]), ("none", [])):
        actor = replace(bearer, id=name)
        assert list(Study.objects.visible_to(actor, NOW, Action.IMAGES)) == seen
