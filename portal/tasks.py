"""Doorbells of the sign-in."""

from importlib import import_module

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session


@shared_task(name="portal.forget_sessions")
def forget_sessions() -> None:
    """Forget sessions that are over and the devices they were of; the beat calls this.

    A person's list of devices shows only those whose session is there: nothing changes for them.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    lasting = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=lasting).delete()
