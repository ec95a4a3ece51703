"""Sign-in rules that allauth asks for: nobody signs up alone, accounts come by invitation."""

from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from sharing.tenants import services


class InvitedAccounts(DefaultAccountAdapter):
    """Closes the public sign-up and keeps e-mailed links on PUBLIC_URL."""

    def is_open_for_signup(self, request: Any) -> bool:
        """Never: an organization registers and invites its people."""
        return False

    def set_password(self, user: Any, password: str) -> None:
        """Change and reset alike: the person has a password of their own now."""
        super().set_password(user, password)
        services.password_changed(user=user, at=timezone.now())
        user.must_change_password = False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the e-mail; built from PUBLIC_URL, never from the Host header."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return str(settings.PUBLIC_URL + path.replace("UID-KEY", quote(key)))
