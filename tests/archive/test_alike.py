"""A refusal asks the database for the same, whatever is hidden, and where nothing is (A06)."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sharing.archive.models import Study
from sharing.audit.windows import windows
from sharing.consent.rules import Force, GranteeKind
from sharing.consent.services import Whom
from sharing.identity.models import Patient
from sharing.kernel.purposes import Action
from sharing.partners.services import issue_token
from sharing.tenants.rules import Role, TeamKind
from sharing.tenants.services import found_team
from tests.cast import NOW, Region, make_patient, make_person, make_study
from tests.exchange.giving import comes_in, given, lets_links
from tests.house.access_matrix import MATRIX, STUDY
from tests.oracle.answers import short
from tests.oracle.asking import Question, parameters
from tests.sessions import sign_in

WHOLE = frozenset({*Action.IMAGES.ladder, Action.RESHARE})
VALUES = (
    (re.compile(r"'(?:[^']|'')*'"), "?"),
    (re.compile(r"\bs\d+_x\d+\b"), "?"),
    (re.compile(r"(?<![\w.])-?\d+(\.\d+)?(::\w+)?\b|\b(NULL|true|false)\b", re.IGNORECASE), "?"),
    (re.compile(r"\(\?(, \?)*\)"), "(?)"),
)
Hide = Callable[[Region, Patient], None]
Ask = Callable[[Study], Any]


def nothing_is_said(region: Region, pat: Patient) -> None:
    """No consent."""


def it_was_revoked(region: Region, pat: Patient) -> None:
    region.revoke(region.permit(patient=pat))


def ben_is_denied(region: Region, pat: Patient) -> None:
    region.permit(patient=pat)
    region.deny(patient=pat)


def another_may(region: Region, pat: Patient) -> None:
    region.permit(region.lakeside, patient=pat)


def ben_is_excluded(region: Region, pat: Patient) -> None:
    region.deny(patient=pat, organizations=(), practitioners=(region.ben.user,),
                force=Force.EXCLUSION, ends_at=None)  # fmt: skip


def all_sharing_is_refused(region: Region, pat: Patient) -> None:
    region.deny(patient=pat, organizations=(), others=(Whom(GranteeKind.EVERYONE),),
                force=Force.OPT_OUT, ends_at=None)  # fmt: skip


def a_label_is_not_meant(region: Region, pat: Patient) -> None:
    region.permit(patient=pat, labels=frozenset({"HIV"}))


def other_series_are_meant(region: Region, pat: Patient) -> None:
    for uid in ("2.25.1", "2.25.2"):
        region.permit(patient=pat, series=frozenset({uid}))


def a_team_may(region: Region, pat: Patient) -> None:
    team = found_team(kind=TeamKind.DEPARTMENT, name=f"Of {pat.pk}", by=_chief(region), at=NOW)
    region.permit(patient=pat, organizations=(), others=(Whom(GranteeKind.TEAM, team=team),))


def it_was_for_one_use(region: Region, pat: Patient) -> None:
    region.permit(region.lakeside, patient=pat, maximum_uses=1)


def it_was_shared_with_others(region: Region, pat: Patient) -> None:
    region.permit(region.lakeside, patient=pat, named_by_custodian=True, actions=WHOLE)


def nobody_knows_who_it_is(region: Region, pat: Patient) -> None:
    region.permit(patient=pat)
    Patient.objects.filter(pk=pat.pk).update(certain=False)


HIDDEN: tuple[Hide, ...] = (
    nothing_is_said, it_was_revoked, ben_is_denied, another_may, ben_is_excluded,
    all_sharing_is_refused, a_label_is_not_meant, other_series_are_meant, a_team_may,
    it_was_for_one_use, it_was_shared_with_others, nobody_knows_who_it_is,
)  # fmt: skip


def _chief(region: Region) -> Any:
    """Who keeps Hilltop's departments."""
    if "chief" not in region.extra:
        region.extra["chief"] = make_person("Inga Falk", region.hilltop, Role.ADMINISTRATOR)
    return region.extra["chief"].actor


def hidden(region: Region, *hide: Hide, **facts: Any) -> Study:
    """A study of a patient of Riverside's of whom all that is said."""
    number = Patient.objects.count()
    pat = make_patient(region.riverside, f"RV-9{number}", name=f"Okafor^Amara{number}")
    study = make_study(pat, labels="|PSY|", **facts)
    for each in hide:
        each(region, pat)
    return study


DOORS = {
    name: params
    for name, params in parameters()
    if MATRIX[name] == STUDY and {"study", "public_id", "study_id"} & set(params)
}
"""Each that opens a study; a new one is tried as the others are."""
SOME = ("web:study", "viewer:study", "viewer:pulse", "dicomweb:frames")


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def test_there_are_doors() -> None:
    assert len(DOORS) > 30
    assert set(SOME) <= set(DOORS)


def _asker(region: Region, name: str) -> Ask:
    client, params = _client(region, name), DOORS[name]

    def ask(study: Study) -> Any:
        series = f"{study.study_uid}.1"
        held = {
            "study": study.study_uid, "series": series, "instance": f"{series}.1", "frames": "1",
            "bulk": "7FE00010", "public_id": study.public_id, "study_id": study.public_id,
        }  # fmt: skip
        named = {param: held.get(param, "x") for param in params if param != "organization"}
        return client(reverse(name, kwargs=named))

    return ask


def _client(region: Region, name: str) -> Callable[[str], Any]:
    if name.startswith("web:opened"):
        return _bearer(region).get
    if name.startswith(("web:", "viewer:")):
        return _browser(region).get
    return _machine(region)


def _browser(region: Region) -> Any:
    """Ben's."""
    if "ben" not in region.extra:
        region.extra["ben"] = sign_in(Client(), region.ben.user)
    return region.extra["ben"]


def _bearer(region: Region) -> Any:
    """Somebody with a link to another study."""
    if "link" not in region.extra:
        shown = region.study()
        lets_links(region, NOW)
        made = given(region, shown, at=NOW)
        region.extra["link"] = Client()
        assert comes_in(region.extra["link"], made.secret).status_code == 302
    return region.extra["link"]


def _machine(region: Region) -> Callable[[str], Any]:
    if "token" not in region.extra:
        scopes = ["dicomweb.read", "studies.read"]
        region.extra["token"] = issue_token(
            organization=region.hilltop, name="PACS", scopes=scopes, at=NOW
        )
    token = {"Authorization": f"Bearer {region.extra['token']}"}

    def ask(path: str) -> Any:
        return short(Question("", "GET", path, {}, {}), token) or Client().get(path, headers=token)

    return ask


def cost(ask: Ask, study: Study) -> Counter[str]:
    """The statements of one answer, which is a refusal, without their values; then undone."""
    windows.forget()
    with transaction.atomic():
        with CaptureQueriesContext(connection) as spent:
            answer = ask(study)
        transaction.set_rollback(True)
    status = getattr(answer, "status_code", None) or answer.status
    assert status in (403, 404) or answer.body == b"[]", answer
    return Counter(_shape(each["sql"]) for each in spent.captured_queries)


def _shape(sql: str) -> str:
    for values, mark in VALUES:
        sql = values.sub(mark, sql)
    return sql


NEVER = Study(public_id="Zz0" * 7 + "Q", study_uid="2.25.424242424242")
"""Ids that nobody was given."""


def same(ask: Ask, *hidden: Study) -> str:
    """What they ask more than an absent one, and less; blank: nothing."""
    absent = cost(ask, NEVER)
    return "".join(_compared(cost(ask, each), absent) for each in hidden)


def _compared(more: Counter[str], less: Counter[str]) -> str:
    return "\n".join([f"+ {n} {s}" for s, n in (more - less).items()]
                     + [f"- {n} {s}" for s, n in (less - more).items()])  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("hide", HIDDEN, ids=lambda hide: hide.__name__)
def test_what_is_hidden_asks_what_is_absent_asks(region: Region, hide: Hide) -> None:
    hidden(region, another_may)  # the first one stands in for what is absent
    study = hidden(region, hide)
    for name in SOME:
        assert not same(_asker(region, name), study), name


@pytest.mark.django_db
def test_a_search_for_what_is_hidden_asks_what_one_for_the_absent_asks(region: Region) -> None:
    study = hidden(region, *HIDDEN, accession_number="A-77")
    ask = _machine(region)
    for key, there, nowhere in (
        ("StudyInstanceUID", study.study_uid, NEVER.study_uid),
        ("PatientID", study.patient.identifier, "RV-404"),
        ("AccessionNumber", "A-77", "A-404"),
    ):

        def search(each: Study, key: str = key, words: Any = (nowhere, there)) -> Any:
            return ask(f"/dicomweb/studies?{key}={words[each is study]}")

        assert not same(search, study), key


@pytest.mark.django_db
def test_at_every_door_all_that_hides_asks_what_is_absent_asks(region: Region) -> None:
    """Also where two hold a study of that UID."""
    study = hidden(region, *HIDDEN)
    plain = hidden(region, nothing_is_said)
    twin = make_patient(region.lakeside, "LK-1")
    make_study(twin, study_uid=plain.study_uid)
    told_apart = {
        name: apart for name in DOORS if (apart := same(_asker(region, name), study, plain))
    }
    assert not told_apart
