"""Sign-in rules that allauth asks for: nobody signs up alone, accounts come by invitation."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings


class InvitedAccounts(DefaultAccountAdapter):
    """Closes the public sign-up and keeps e-mailed links on PUBLIC_URL."""

    def is_open_for_signup(self, request: Any) -> bool:
        """Never: an organization registers and invites its people."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the e-mail; built from PUBLIC_URL, never from the Host header."""
        from django.urls import reverse

        path = reverse("account_reset_password_from_key", args=["UID", "KEY"])
        return str(settings.PUBLIC_URL + path.replace("UID-KEY", key))
