"""The patient's own phone: one code, three proofs, one word; what was read is what is recorded."""

import threading
from contextvars import copy_context
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from sharing.audit.models import Event
from sharing.consent.errors import (
    ConsentInvalid,
    PhoneNotNow,
    PhoneOver,
    PhoneWrong,
    SignatureInvalid,
)
from sharing.consent.models import Consent, PhoneSession
from sharing.consent.rules import PHONE_NEXT, PhoneEvent, PhoneState, Verification, strokes_of
from sharing.consent.services import (
    cancel_phone,
    code_of,
    issue_withdrawal,
    issued_phone,
    open_phone,
    phone_of,
    reading_on,
    refuse_on_phone,
    sign_on_phone,
    withdraw_on_phone,
)
from sharing.kernel.lifecycle import NotNow, step
from sharing.tenants.errors import NotAllowed
from sharing.tenants.models import Membership
from sharing.tenants.rules import Role
from tests.cast import Region
from tests.consent.phones import DRAWN, issue, opened, proofs, said, signed

MINUTE = timedelta(minutes=1)


def deeds() -> list[str]:
    return list(Event.objects.filter(action__startswith="phone.").values_list("action", flat=True))


def test_pat_reads_signs_and_the_consent_is_in_force(region: Region) -> None:
    session = issue(region, "zh-Hans")
    secret = opened(region, session, region.at + MINUTE)
    read = reading_on(phone_of(secret, at=region.at), language="zh-Hans", at=region.at)
    assert "您同意" in read.question
    at = region.at + 3 * MINUTE
    consent = sign_on_phone(secret=secret, drawn=DRAWN, language="zh-Hans", at=at)
    assert (consent.state, consent.verification) == ("active", Verification.QR)
    assert (consent.starts_at, consent.verified_by) == (at, "Mei Tan")
    assert (consent.language, consent.shown) == ("zh-Hans", "permit/2026-2")
    assert [each.organization for each in consent.grantees.all()] == [region.hilltop]
    session.refresh_from_db()
    assert (session.state, session.consent, session.signature) == ("signed", consent, DRAWN)
    assert deeds() == ["phone.issue", "phone.open", "phone.sign"]


def test_a_refusal_is_recorded_and_permits_nothing(region: Region) -> None:
    session = issue(region)
    secret = opened(region, session)
    refuse_on_phone(secret=secret, at=region.at)
    session.refresh_from_db()
    assert session.state == PhoneState.REFUSED
    assert not Consent.objects.exists()
    assert deeds()[-1] == "phone.refuse"
    with pytest.raises(NotNow):
        sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)


WRONG: list[dict[str, Any]] = [
    {"token": "AAAABBBBCCCCDDDD"},
    {"token": ""},
    {"born": date(1958, 5, 4)},
    {"born": None},
    {"digits": "no"},
    {"digits": ""},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_each_of_the_three_proofs_is_needed(region: Region, wrong: dict[str, Any]) -> None:
    session = issue(region)
    with pytest.raises(PhoneWrong) as refusal:
        open_phone(**proofs(session, **wrong), at=region.at)
    assert str(refusal.value) == PhoneWrong.message
    session.refresh_from_db()
    assert session.tries == ("token" not in wrong)
    assert session.state == PhoneState.WAITING


def test_the_code_may_be_typed_as_people_type(region: Region) -> None:
    session = issue(region)
    token = code_of(session).in_groups.lower().replace("o", "0").replace("-", " ")
    assert open_phone(**proofs(session, token=token), at=region.at)


def test_five_wrong_tries_end_the_code_and_the_right_one_comes_too_late(region: Region) -> None:
    session = issue(region)
    for _ in range(5):
        with pytest.raises(PhoneWrong):
            open_phone(**proofs(session, born=date(1990, 1, 1)), at=region.at)
    with pytest.raises(PhoneWrong):
        open_phone(**proofs(session), at=region.at)
    session.refresh_from_db()
    assert (session.state, session.tries) == (PhoneState.LOCKED, 5)
    assert deeds().count("phone.fail") == 5


def test_four_wrong_tries_and_the_fifth_right_one_opens(region: Region) -> None:
    session = issue(region)
    for _ in range(4):
        with pytest.raises(PhoneWrong):
            open_phone(**proofs(session, digits=other(session)), at=region.at)
    assert opened(region, session)


def other(session: PhoneSession) -> str:
    return f"{(int(code_of(session).digits) + 1) % 1_000_000:06}"


def test_after_a_quarter_of_an_hour_the_code_is_over(region: Region) -> None:
    session = issue(region)
    with pytest.raises(PhoneWrong):
        open_phone(**proofs(session), at=region.at + 15 * MINUTE)
    secret = opened(region, session, region.at + 14 * MINUTE)
    with pytest.raises(PhoneOver):
        sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at + 15 * MINUTE)
    assert not Consent.objects.exists()


def test_a_code_opens_once_a_second_phone_stays_outside(region: Region) -> None:
    session = issue(region)
    opened(region, session)
    with pytest.raises(PhoneWrong):
        opened(region, session)


def test_a_signature_is_sent_once(region: Region) -> None:
    session = issue(region)
    secret = opened(region, session)
    sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    for again in (
        lambda: sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at),
        lambda: refuse_on_phone(secret=secret, at=region.at),
    ):
        with pytest.raises(NotNow):
            again()
    assert Consent.objects.count() == 1


def test_a_change_by_the_clerk_cancels_the_code_under_the_patient_s_eyes(region: Region) -> None:
    session = issue(region)
    secret = opened(region, session)
    cancel_phone(session=session, by=region.mei.actor, at=region.at)
    with pytest.raises(PhoneOver):
        sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    assert not Consent.objects.exists()


def test_a_new_code_of_the_patient_ends_the_one_before(region: Region) -> None:
    first, second = issue(region), issue(region, organizations=(region.lakeside,))
    with pytest.raises(PhoneWrong):
        opened(region, first)
    assert opened(region, second)


def test_what_the_patient_reads_is_frozen(region: Region) -> None:
    """The database itself refuses to change the draft, the proofs or the end of a code."""
    session = issue(region)
    for column, value in {
        "draft": '{"decision": "deny"}',
        "expires_at": region.at + timedelta(days=1),
        "token_sha256": "0" * 64,
        "digits_sha256": "0" * 64,
        "tries": -1,
    }.items():
        if column == "tries":
            PhoneSession.objects.filter(pk=session.pk).update(tries=3)
            value = 0
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE consent_phonesession SET {column} = %s WHERE id = %s",  # noqa: S608
                [value, session.pk],
            )


def test_an_ended_code_never_lives_again(region: Region) -> None:
    session = issue(region)
    cancel_phone(session=session, by=region.mei.actor, at=region.at)
    with pytest.raises(DatabaseError), transaction.atomic():
        PhoneSession.objects.filter(pk=session.pk).update(state="waiting")


def test_who_issued_the_code_must_still_be_a_clerk_when_the_patient_signs(region: Region) -> None:
    session = issue(region)
    secret = opened(region, session)
    Membership.objects.filter(user=region.mei.user).update(ended_at=region.at)
    with pytest.raises(PhoneNotNow):
        sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    session.refresh_from_db()
    assert session.state == PhoneState.OPENED
    assert not Consent.objects.exists()


def test_a_clerk_who_became_something_else_does_not_record_it(region: Region) -> None:
    session = issue(region)
    secret = opened(region, session)
    Membership.objects.filter(user=region.mei.user).update(role=Role.ADMINISTRATOR)
    with pytest.raises(PhoneNotNow):
        sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    assert not Consent.objects.exists()


def test_only_clerks_issue_and_only_for_their_own_patients(region: Region) -> None:
    words = said(region)
    assert words.decision == "permit"
    for person in (region.ada, region.olga, region.ben):
        with pytest.raises(NotAllowed):
            issue(replace(region, mei=person))
    session = issue(region)
    with pytest.raises(NotAllowed):
        issued_phone(region.ben.actor, public_id=session.public_id)


def test_without_a_birth_date_there_is_no_code(region: Region) -> None:
    region.pat.birth_date = None
    region.pat.save()
    with pytest.raises(ConsentInvalid):
        issue(region)


def test_pat_sees_a_consent_and_withdraws_it(region: Region) -> None:
    consent = region.permit()
    session = issue_withdrawal(consent=consent, by=region.mei.actor, at=region.at)
    secret = opened(region, session)
    read = reading_on(phone_of(secret, at=region.at), language="en", at=region.at)
    assert "Hilltop Family Clinic" in read.question
    with pytest.raises(NotNow):
        refuse_on_phone(secret=secret, at=region.at)
    withdraw_on_phone(secret=secret, at=region.at)
    consent.refresh_from_db()
    assert (consent.state, consent.ended_why) == (
        "revoked", "The patient withdrew it on their own phone.",
    )  # fmt: skip
    with pytest.raises(NotNow):
        withdraw_on_phone(secret=secret, at=region.at)
    with pytest.raises(NotNow):
        issue_withdrawal(consent=consent, by=region.mei.actor, at=region.at)


@pytest.mark.parametrize(
    "drawn",
    [
        "", "x", "1,1", "1,1 2,2 3,3 4,4", "100,300 180,80 260,300;300,200 360,1201",
        "1001,1 2,2 3,3 4,4 5,5", "1,1 2,2 3,3 4,4 5,401", "1,1 2,2 3,3 4,4 ٥,5",
        "<svg onload=x>", "1,1  2,2 3,3 4,4 5,5", "1,1 2,2 3,3 4,4 5,5;", "-1,1 2,2 3,3 4,4 5,5",
        "1,1 " * 3000 + "1,1", ";".join(["1,1"] * 61),
    ],
)  # fmt: skip
def test_a_signature_is_a_drawing_and_nothing_else(region: Region, drawn: str) -> None:
    assert strokes_of(drawn) is None
    session = issue(region)
    with pytest.raises(SignatureInvalid):
        signed(region, session, drawn=drawn)
    assert not Consent.objects.exists()


def test_the_life_of_a_code_is_a_table() -> None:
    ended = set(PhoneState) - {PhoneState.WAITING, PhoneState.OPENED}
    for state in PhoneState:
        for event in PhoneEvent:
            if (state, event) in PHONE_NEXT:
                assert state not in ended
            else:
                with pytest.raises(NotNow):
                    step(PHONE_NEXT, state, event)


@pytest.mark.usefixtures("committing")
def test_of_two_phones_at_once_one_gets_in(region: Region) -> None:
    """Whoever has photographed the picture and heard the digits races Pat: there is one secret."""
    for _ in range(5):
        session = issue(region)
        found = together(lambda s=session: opened(region, s), 2)
        assert sorted(type(each) for each in found if not isinstance(each, str)) == [PhoneWrong]
        assert len([each for each in found if isinstance(each, str)]) == 1


@pytest.mark.usefixtures("committing")
def test_wrong_tries_at_once_are_all_counted(region: Region) -> None:
    session = issue(region)
    wrong = proofs(session, digits=other(session))
    together(lambda: open_phone(**wrong, at=region.at), 8)
    session.refresh_from_db()
    assert (session.tries, session.state) == (5, PhoneState.LOCKED)


def yes(**given: Any) -> Consent:
    return sign_on_phone(**given, drawn=DRAWN, language="en")


@pytest.mark.usefixtures("committing")
def test_of_yes_and_no_at_once_one_holds(region: Region) -> None:
    for _ in range(5):
        session = issue(region)
        secret = opened(region, session)
        words: list[Any] = [yes, refuse_on_phone]
        before = Consent.objects.count()
        found = together(lambda s=secret, w=words: w.pop()(secret=s, at=region.at), 2)
        assert [type(f) for f in found].count(NotNow) == 1, found
        session.refresh_from_db()
        assert Consent.objects.count() - before == (session.state == PhoneState.SIGNED)


def together(call: Any, times: int) -> list[Any]:
    """What each of that many threads got, or what it raised."""
    barrier, found = threading.Barrier(times), []

    def run() -> None:
        barrier.wait()
        try:
            found.append(call())
        except Exception as error:  # noqa: BLE001  the answer of this thread
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(run,)) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
