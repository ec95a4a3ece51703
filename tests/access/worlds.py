"""Small worlds for the property tests: whatever consent.md lets be on file, drawn at random."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from sharing.access.models import Glass, GlassPatient, Grant, Relationship, Share
from sharing.archive.models import Series, Study
from sharing.consent.models import Consent, Proxy
from sharing.consent.rules import ConsentState, Decision, Force, GranteeKind, Performer
from sharing.consent.services import EVERYONE, Whom
from sharing.kernel.purposes import LEAVING, Action, Obligation, Purpose
from sharing.kernel.tokens import public_id
from sharing.tenants.models import Agreement, AgreementModality, Team, TeamMember
from sharing.tenants.models import Region as RegionRow
from sharing.tenants.rules import Actor, ImplicitPolicy, Role
from sharing.tenants.services import actor_for_link
from tests.cast import NOW, Region, make_patient, make_person, make_study

LINK = "the-link-of-the-bearer"
DAYS = st.integers(min_value=-3, max_value=3)
MODALITIES = st.sampled_from(["CT", "MR", "CTA"])
REACHED = [state for state in ConsentState if state != ConsentState.DRAFT]
ACTIONS = st.sampled_from(
    [Action.DISCOVER, Action.REPORT, Action.IMAGES, Action.DOWNLOAD, Action.RESHARE]
)
KEPT = [
    Obligation.NO_DOWNLOAD, Obligation.DEIDENTIFY, Obligation.WATERMARK, Obligation.NOTIFY_PATIENT,
]  # fmt: skip
WORDS = st.frozensets(st.sampled_from(["CHEST", "BREAST"]), max_size=1)
LABELS = st.frozensets(st.sampled_from(["mental", "minor"]), max_size=1)
SOMEBODY = ("hilltop", "ben", "team", "role", "role_here")
TO = st.sampled_from(
    ["riverside", "ada", "lakeside", "named", "everyone", "project", "link", "client", *SOMEBODY]
)

CONSENTS = st.fixed_dictionaries(
    {
        "decision": st.sampled_from(Decision),
        "to": TO,
        "but": st.one_of(st.none(), st.sampled_from(SOMEBODY)),
        "force": st.sampled_from([*[Force.ORDINARY] * 4, Force.EXCLUSION, Force.OPT_OUT]),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
        "forever": st.booleans(),
        "lapses": st.one_of(st.none(), st.none(), st.integers(min_value=1, max_value=4)),
        "purposes": st.frozensets(
            st.sampled_from([Purpose.TREATMENT, Purpose.RESEARCH, Purpose.OPERATIONS]), min_size=1
        ),
        "actions": st.frozensets(ACTIONS, min_size=1),
        "obligations": st.frozensets(
            st.sampled_from(KEPT),
            max_size=1,
        ),
        "uses": st.sampled_from([None, None, (2, 1), (2, 2)]),
        "modalities": st.frozensets(MODALITIES, max_size=2),
        "body": WORDS,
        "labels": LABELS,
        "series": st.sampled_from(["", "", "first", "all"]),
        "study": st.one_of(st.none(), st.integers(min_value=0, max_value=3)),
        "performer": st.sampled_from(["", "", "riverside", "lakeside"]),
        "data_from": st.one_of(st.none(), DAYS),
        "data_until": st.one_of(st.none(), DAYS),
        "state": st.sampled_from([*REACHED, *[ConsentState.ACTIVE] * 6]),
        "stranger": st.booleans(),
    }
)
STUDIES = st.fixed_dictionaries(
    {
        "day": st.one_of(st.none(), DAYS),
        "modalities": st.lists(MODALITIES, max_size=2, unique=True),
        "patient": st.sampled_from(["pat", "pat", "nobody"]),
        "body": WORDS,
        "labels": LABELS,
        "series": st.integers(min_value=1, max_value=2),
    }
)
GRANTS = st.fixed_dictionaries(
    {
        "study": st.integers(min_value=0, max_value=3),
        "to": st.sampled_from(["hilltop", "lakeside", "ben", "team", "link", "link of another"]),
        "there": st.sampled_from(["", "hilltop", "lakeside"]),
        "standing": st.booleans(),
        "review": st.one_of(st.none(), DAYS),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
        "actions": st.frozensets(ACTIONS, min_size=1),
        "revoked": st.booleans(),
        "purpose": st.sampled_from([Purpose.TREATMENT, Purpose.TREATMENT, Purpose.OPERATIONS]),
    }
)
TIES = st.fixed_dictionaries(
    {
        "study": st.one_of(st.none(), st.integers(min_value=0, max_value=3)),
        "person": st.booleans(),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
    }
)
GLASSES = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["ben", "ben", "cleo", "olga"]),
        "there": st.sampled_from(["hilltop", "hilltop", "lakeside"]),
        "patient": st.sampled_from(["pat", "pat", "nobody"]),
        "start": st.integers(min_value=-3, max_value=1),  # hours
        "hours": st.integers(min_value=1, max_value=4),
        "over": st.booleans(),
    }
)
POLICIES = st.sampled_from([ImplicitPolicy.DENY, *ImplicitPolicy])
REGIONS = st.fixed_dictionaries(
    {
        "policy": POLICIES,
        "custodian": st.one_of(st.none(), POLICIES),
        "implied": st.booleans(),
        "in_team": st.booleans(),
        "agreements": st.sampled_from([False, False, True]),
    }
)
AGREEMENTS = st.fixed_dictionaries(
    {
        "two": st.sampled_from(
            [("riverside", "hilltop")] * 4 + [("hilltop", "riverside"), ("riverside", "lakeside")]
        ),
        "start": DAYS,
        "days": st.integers(min_value=1, max_value=4),
        "modalities": st.frozensets(MODALITIES, max_size=1),
        "purposes": st.frozensets(
            st.sampled_from([Purpose.TREATMENT, Purpose.TREATMENT, Purpose.RESEARCH]), min_size=1
        ),
    }
)


def settle(world: Region, said: dict[str, Any]) -> None:
    """The region's rules, Ben's team, and two more people than the cast has."""
    RegionRow.objects.create(
        pk=1,
        implicit_policy=said["policy"],
        implied_relationships=said["implied"],
        demands_agreements=said["agreements"],
    )
    world.riverside.implicit_policy = said["custodian"] or ""
    world.riverside.save()
    world.extra["nobody"] = make_patient(world.riverside, "", name="Doe^J")
    for kind in ("care_team", "project"):
        team = Team.objects.create(organization=world.hilltop, kind=kind, name="Chest")
        ended = None if said["in_team"] else NOW - timedelta(days=1)
        rhea = world.extra.get("rhea") or make_person("Rhea Lund", world.hilltop, Role.RESEARCHER)
        world.extra["rhea"] = rhea
        for user in (world.ben.user, rhea.user):
            TeamMember.objects.create(team=team, user=user, ended_at=ended)
        world.extra[kind] = team


def actors(world: Region) -> list[Actor]:
    """The cast, a researcher of Hilltop, Hilltop's machine, Ben's app, and somebody with a link."""
    people = (world.ada, world.mei, world.olga, world.admin, world.ben, world.cleo)
    found = [person.actor for person in (*people, world.extra["rhea"])]
    ben, rhea = world.ben.actor, world.extra["rhea"].actor
    machine = replace(
        ben, kind="client", id="m", user_id=None, roles=frozenset({Role.CLIENT}), name="Machine"
    )
    app = replace(ben, name="Ben's app", token=1, client="app", app="An app")
    bearer = actor_for_link(link=LINK, given_by="Ada Brandt", purpose=Purpose.TREATMENT)
    at_riverside = replace(
        rhea, organization_id=world.riverside.pk, organization_code="riverside", name="Guest"
    )
    return [*found, machine, app, bearer, at_riverside]


def add_study(world: Region, facts: dict[str, Any]) -> Study:
    """One study with one or two series."""
    study = make_study(
        world.extra["nobody"] if facts["patient"] == "nobody" else world.pat,
        study_date=None if facts["day"] is None else day(facts["day"]),
        modalities=column(facts["modalities"]),
        body_regions=column(facts["body"]),
        labels=column(facts["labels"]),
    )
    if facts["series"] == 2:
        Series.objects.create(study=study, series_uid=f"{study.study_uid}.2", modality="CT")
    return study


def column(words: Any) -> str:
    """The words as a column of a study holds them."""
    return "".join(["|", *(f"{word}|" for word in sorted(words))])


def day(offset: int) -> date:
    """A day near the present."""
    return (NOW + timedelta(days=offset)).date()


def add_consent(world: Region, studies: list[Study], said: dict[str, Any]) -> Consent:
    """What was drawn, without what the desk would refuse as a contradiction."""
    start = NOW + timedelta(days=said["start"])
    patient = world.extra["nobody"] if said["stranger"] else world.pat
    denies = said["decision"] == Decision.DENY
    values = _spoken(said, start) | {"patient": patient} | _kept(said, denies)
    if denies and said["force"] != Force.ORDINARY:
        values |= {"force": said["force"], "ends_at": None, "purposes": frozenset(Purpose)}
        values["actions"] = frozenset(Action)
    else:
        values |= _limits(said, studies)
        values["excepted"] = _whom(world, said["but"]) if denies and said["but"] else ()
    if said["lapses"]:
        values |= _proxy(patient, start, start + timedelta(days=said["lapses"]))
    to = said["to"]
    if denies and said["force"] == Force.OPT_OUT:
        to = "everyone"
    elif denies and said["force"] == Force.EXCLUSION:
        to = to if to in ("ada", "ben") else "ada"
    elif denies and to in ("named", "link"):
        to = "everyone"
    named = _whom(world, to)
    consent = world.say(said["decision"], world.hilltop, organizations=(), others=named, **values)
    if values.get("maximum_uses"):
        Consent.objects.filter(pk=consent.pk).update(used=said["uses"][1])
    Consent.objects.filter(pk=consent.pk).update(state=said["state"])
    return consent


def _spoken(said: dict[str, Any], start: datetime) -> dict[str, Any]:
    return {
        "at": start,
        "starts_at": start,
        "ends_at": None if said["forever"] else start + timedelta(days=said["days"]),
        "purposes": said["purposes"],
        "actions": said["actions"],
        "verification": "verbal",
        "witness": "Olga Weiss",
        "evidence": None,
    }


def _kept(said: dict[str, Any], denies: bool) -> dict[str, Any]:
    """What a permit obliges to."""
    if denies:
        return {}
    values = {"obligations": said["obligations"]}
    if Obligation.NO_DOWNLOAD in said["obligations"]:
        values["actions"] = said["actions"] - LEAVING or frozenset({Action.DISCOVER})
    if said["uses"]:
        values["maximum_uses"] = said["uses"][0]
    return values


def _limits(said: dict[str, Any], studies: list[Study]) -> dict[str, Any]:
    index = said["study"]
    named = studies[index] if index is not None and index < len(studies) else None
    series = studies[0].series.order_by("series_uid").values_list("series_uid", flat=True)
    count = {"": 0, "first": 1, "all": 9}[said["series"]]
    return {
        "modalities": said["modalities"],
        "body_regions": said["body"],
        "labels": said["labels"],
        "series": frozenset(series[:count]),
        "studies": frozenset({named.study_uid}) if named else frozenset(),
        "performing_organizations": frozenset({said["performer"]} - {""}),
        "data_from": None if said["data_from"] is None else day(said["data_from"]),
        "data_until": None if said["data_until"] is None else day(said["data_until"]),
    }


def _proxy(patient: Any, start: datetime, end: datetime) -> dict[str, Any]:
    proxy = Proxy.objects.create(
        patient=patient, relation="representative", name="Rep", starts_at=start, ends_at=end,
        document="Court order", recorded_by="Mei", recorded_at=start,
    )  # fmt: skip
    return {"performer": Performer.REPRESENTATIVE, "proxy": proxy}


def _whom(world: Region, name: str) -> tuple[Whom, ...]:
    kinds = {
        "ada": Whom(GranteeKind.PRACTITIONER, user=world.ada.user),
        "ben": Whom(GranteeKind.PRACTITIONER, user=world.ben.user),
        "named": Whom(GranteeKind.NAMED_BY_CUSTODIAN),
        "everyone": EVERYONE,
        "link": Whom(GranteeKind.LINK),
        "team": Whom(GranteeKind.TEAM, team=world.extra["care_team"]),
        "project": Whom(GranteeKind.PROJECT, team=world.extra["project"]),
        "role": Whom(GranteeKind.ROLE, role=Role.PHYSICIAN),
        "role_here": Whom(GranteeKind.ROLE, role=Role.PHYSICIAN, organization=world.hilltop),
        "client": Whom(GranteeKind.ROLE, role=Role.CLIENT),
    }
    if name in kinds:
        return (kinds[name],)
    return (Whom(GranteeKind.ORGANIZATION, organization=getattr(world, name)),)


def add_tie(world: Region, studies: list[Study], tie: dict[str, Any]) -> None:
    """A referral to Ben or to his clinic."""
    study = studies[(tie["study"] or 0) % len(studies)]
    start = NOW + timedelta(days=tie["start"])
    Relationship.objects.create(
        custodian=world.riverside, patient=study.patient, kind="referrer", recorded_by="Mei",
        study_uid="" if tie["study"] is None else study.study_uid, organization=world.hilltop,
        user=world.ben.user if tie["person"] else None, starts_at=start,
        ends_at=start + timedelta(days=tie["days"]),
    )  # fmt: skip


def add_agreement(world: Region, said: dict[str, Any]) -> None:
    """Written as a row, because nobody records one that has ended."""
    start = NOW + timedelta(days=said["start"])
    provider, recipient = (getattr(world, name) for name in said["two"])
    made = Agreement.objects.create(
        provider=provider, recipient=recipient, purposes=column(said["purposes"]),
        starts_at=start, ends_at=start + timedelta(days=said["days"]), signed_for_provider="A",
        signed_for_recipient="B", document="a.pdf", document_sha256="0" * 64,
        recorded_by="The operator", recorded_at=start,
    )  # fmt: skip
    for word in said["modalities"]:
        AgreementModality.objects.create(agreement=made, value=word)


def add_glass(world: Region, said: dict[str, Any]) -> None:
    """Written as a row, because only a physician may break one."""
    start = NOW + timedelta(hours=said["start"])
    glass = Glass.objects.create(
        user=getattr(world, said["by"]).user, organization=getattr(world, said["there"]),
        reason="life", hours=said["hours"], starts_at=start,
        ends_at=start + timedelta(hours=said["hours"]),
        state="ended" if said["over"] else "open", ended_at=NOW if said["over"] else None,
    )  # fmt: skip
    patient = world.extra["nobody"] if said["patient"] == "nobody" else world.pat
    GlassPatient.objects.create(glass=glass, patient=patient)


def add_grant(world: Region, studies: list[Study], given: dict[str, Any]) -> None:
    """Written as a row, because the share service would refuse most of these."""
    study = studies[given["study"] % len(studies)]
    start = NOW + timedelta(days=given["start"])
    by_link = given["to"].startswith("link")
    to_person, to_team = given["to"] == "ben", given["to"] == "team"
    where = given["there"] if to_person or to_team else "" if by_link else given["to"]
    organization = getattr(world, where) if where else None
    kinds = {"ben": "practitioner", "team": "team", "link": "link", "link of another": "link"}
    review = given["review"]
    if given["standing"] and review is None:
        review = 1
    mine = given["to"] == "link" and not Share.objects.filter(public_id=LINK).exists()
    made = Share.objects.create(
        public_id=LINK if mine else public_id(),
        custodian=world.riverside,
        shared_by=world.ada.user,
        to_organization=organization or world.hilltop,
        purpose=given["purpose"],
        shared_at=start,
    )
    Grant.objects.create(
        share=made,
        custodian=world.riverside,
        patient=study.patient,
        study_uid="" if given["standing"] else study.study_uid,
        review_by=None if review is None else NOW + timedelta(days=review),
        grantee_kind=kinds.get(given["to"], "organization"),
        organization=organization,
        user=world.ben.user if to_person else None,
        team=world.extra["care_team"] if to_team else None,
        purpose=given["purpose"],
        actions="|" + "|".join(sorted(given["actions"])) + "|",
        starts_at=start,
        ends_at=start + timedelta(days=given["days"]),
        revoked_at=NOW if given["revoked"] else None,
    )
