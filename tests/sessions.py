"""A test client that is signed in as somebody, as allauth would have left its session."""

import time
from typing import Any

from django.test import Client

from sharing.tenants.models import User

SLOW = 3600
"""Seconds ahead, so that what must be proved lately stays so on a machine that is busy."""


OF_THE_REQUEST = frozenset({"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"})
"""Headers that number the request itself and tell what its asker has left."""


def headers_of(answer: Any) -> dict[str, str]:
    """An answer's headers without those of the request itself: to hold two answers equal."""
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_REQUEST}


def sign_in(client: Client, user: User, *, second_factor: bool = True) -> Client:
    """Signs the user in by password and, unless told otherwise, a second factor."""
    client.force_login(user)
    methods = ["password", "mfa"] if second_factor else ["password"]
    session = client.session
    session["account_authentication_methods"] = [
        {"method": method, "at": time.time() + SLOW} for method in methods
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
