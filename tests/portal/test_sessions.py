"""Sessions that are over are forgotten, and with them the devices they were of."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portal.tasks import forget_sessions
from tests.cast import PASSWORD


def test_what_is_over_is_forgotten_and_who_is_signed_in_stays(region) -> None:
    elsewhere, here = Client(), Client()
    for browser in (elsewhere, here):
        browser.post("/accounts/login/", {"login": region.ben.user.email, "password": PASSWORD})
    left = Session.objects.filter(session_key=elsewhere.session.session_key)
    left.update(expire_date=timezone.now() - timedelta(seconds=1))
    forget_sessions()
    assert [each.session_key for each in UserSession.objects.all()] == [here.session.session_key]
    assert [each.session_key for each in Session.objects.all()] == [here.session.session_key]
    assert here.get("/accounts/sessions/").status_code == 200
