"""Codes for patients' phones under attack: guessed, replayed, photographed, read from a copy."""

import logging
import re
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sharing.audit.models import Event
from sharing.consent.errors import PhoneWrong
from sharing.consent.models import Consent, PhoneSession
from sharing.consent.services import code_of, open_phone, phone_of, sign_on_phone
from sharing.kernel.tokens import fingerprint
from tests.cast import Region
from tests.consent.phones import DRAWN, issue, opened, proofs


@pytest.fixture(autouse=True)
def _tries_begin_anew() -> None:
    cache.clear()


def test_who_photographed_the_picture_has_five_guesses_at_a_million(region: Region) -> None:
    """And a new code has other digits and another picture: guesses don't add up."""
    seen = set()
    for _ in range(4):
        session = issue(region)
        seen.add(code_of(session))
        right = int(code_of(session).digits)
        for guess in range(right - 5, right + 1):  # the sixth is right, and too late
            with pytest.raises(PhoneWrong):
                open_phone(**proofs(session, digits=f"{guess % 1_000_000:06}"), at=region.at)
    assert len({code.token for code in seen}) == len({code.digits for code in seen}) == 4
    assert not PhoneSession.objects.exclude(state__in=["locked", "cancelled"]).exists()
    assert not Consent.objects.exists()


def test_one_address_has_sixty_tries_a_minute(region: Region, settings: Any) -> None:
    """The sixty-first is answered as the others, and does not reach the code."""
    region.at = timezone.now()
    session = issue(region)
    code = code_of(session)
    right = {"token": code.token, "year": 1958, "month": 5, "day": 3, "digits": code.digits}
    for _ in range(60):
        Client().post(reverse("web:phone"), right | {"token": "AAAABBBBCCCCDDDD"})
    answer = Client().post(reverse("web:phone"), right)
    assert answer.status_code == 422
    session.refresh_from_db()
    assert session.state == "waiting"


def test_neither_the_code_nor_the_digits_nor_the_secret_are_stored(region: Region) -> None:
    """Not in a column of any table: who copies the database opens no phone."""
    session = issue(region)
    code, secret = code_of(session), opened(region, session)
    sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    held = everything()
    for word in (code.token, code.in_groups, secret):
        assert word not in held
    assert not re.search(rf"(?<![0-9a-f.]){code.digits}(?![0-9a-f])", held)
    assert session.token_sha256 == fingerprint(code.token)
    assert session.digits_sha256 != fingerprint(code.digits), "a million hashes would tell"


def everything() -> str:
    """Every value of every table, as text."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608
            found += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(found)


def test_the_log_of_the_process_and_of_access_never_say_them(
    region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    region.at = timezone.now()
    session = issue(region)
    code = code_of(session)
    with caplog.at_level(logging.DEBUG):
        phone = Client()
        right = {"token": code.token, "year": 1958, "month": 5, "day": 3, "digits": code.digits}
        phone.post(reverse("web:phone"), right | {"day": 4})
        phone.post(reverse("web:phone"), right)
        phone.post(reverse("web:phone-sign"), {"drawn": DRAWN})
    secret = phone.cookies["phone"].value
    # The statements that a debug log quotes hold what is asked for, and that are fingerprints.
    written = caplog.text + str(list(Event.objects.values()))
    for word in (code.token, code.in_groups, secret):
        assert word not in written
    assert "moreau" not in caplog.text.lower()
    assert Consent.objects.get().state == "active"


def test_another_key_makes_other_codes(region: Region, settings: Any) -> None:
    """A copy of the database beside another portal's key makes no code of ours."""
    session = issue(region)
    before = code_of(session)
    settings.SECRET_KEY = "another key of another portal, long enough"
    assert code_of(session) != before


def test_a_signed_phone_s_cookie_signs_nothing_more(region: Region) -> None:
    """Replayed within the minutes that are left, for the same patient's next code."""
    first = issue(region)
    secret = opened(region, first)
    sign_on_phone(secret=secret, drawn=DRAWN, language="en", at=region.at)
    second = issue(region)
    assert phone_of(secret, at=region.at).pk == first.pk
    assert PhoneSession.objects.get(pk=second.pk).state == "waiting"


def test_a_page_of_another_origin_can_t_decide_for_the_patient(region: Region) -> None:
    """Every word of the patient's asks for the CSRF token beside the SameSite cookie."""
    region.at = timezone.now()
    session = issue(region)
    phone = Client(enforce_csrf_checks=True)
    phone.cookies["phone"] = opened(region, session)
    for route, given in (("phone-sign", {"drawn": DRAWN}), ("phone-refuse", {}), ("phone", {})):
        assert phone.post(reverse(f"web:{route}"), given).status_code == 403
    session.refresh_from_db()
    assert session.state == "opened"


@pytest.mark.parametrize("drawn", ['1,1"/><script>', "1,1 2,2 3,3 4,4 5,5<", "data:image/svg+xml,"])
def test_a_drawing_carries_no_markup(region: Region, drawn: str) -> None:
    region.at = timezone.now()
    session = issue(region)
    phone = Client()
    phone.cookies["phone"] = opened(region, session)
    answer = phone.post(reverse("web:phone-sign"), {"drawn": drawn})
    assert answer.status_code == 422
    assert drawn not in answer.content.decode()
    assert not Consent.objects.exists()


def test_a_clerk_s_session_on_the_phone_gives_it_nothing_more(region: Region) -> None:
    """Whoever is signed in: the phone's pages ask for the phone's secret alone."""
    from tests.sessions import sign_in

    region.at = timezone.now()
    issue(region)
    mei = sign_in(Client(), region.mei.user)
    assert mei.get(reverse("web:phone-read")).status_code == 404
