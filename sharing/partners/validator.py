"""What django-oauth-toolkit asks when a client comes: who it is, and what it may have."""

import base64
import binascii
import hashlib
from typing import Any
from urllib.parse import unquote_plus

from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2 import InvalidGrantError

from sharing.audit.rules import Who
from sharing.kernel.tokens import fingerprint
from sharing.partners.errors import AssertionRefused
from sharing.partners.models import AccessToken, Client, Grant, RefreshToken
from sharing.partners.rules import is_within
from sharing.partners.services.acting import stamp_of
from sharing.partners.services.asserting import KIND, client_by_assertion
from sharing.partners.services.tokens import end_family, told

REFUSALS_EVERY = 60
"""Seconds in which one line of the log says that a client was refused, however often it was."""


class PartnersValidator(OAuth2Validator):
    """Secrets as fingerprints, signed assertions, a client's own scopes, and the log."""

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A signature asks to be looked at, whoever brings it."""
        if _given(request, "client_assertion"):
            return True
        return bool(super().client_authentication_required(request, *args, **kwargs))

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """By one way only: a signed assertion, or a secret."""
        assertion = _given(request, "client_assertion")
        if assertion or _given(request, "client_assertion_type"):
            return self._by_assertion(request, assertion)
        client_id, secret = self._named(request)
        client = self._load_application(client_id, request) if client_id else None
        good = client is not None and _knows(client, secret)
        if client is not None and not good:
            _refused(client)
        return good

    def _by_assertion(self, request: Any, assertion: str) -> bool:
        named = _given(request, "client_id")
        if _given(request, "client_assertion_type") != KIND or self._extract_basic_auth(request):
            return False
        try:
            client = client_by_assertion(assertion, at=timezone.now())
        except AssertionRefused:
            return False
        if named and named != client.client_id:
            return False
        request.client = client
        return True

    def _named(self, request: Any) -> tuple[str, str]:
        """From `Authorization: Basic`, else from the body."""
        basic = self._extract_basic_auth(request)
        if not basic:
            return _given(request, "client_id"), _given(request, "client_secret")
        try:
            client_id, _, secret = base64.b64decode(basic).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote_plus(client_id), unquote_plus(secret)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Only what an administrator gave the client."""
        return bool(scopes) and all(is_within(scope, client.scopes) for scope in scopes)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kw: Any) -> list[str]:
        """Who asks for nothing in particular gets what the client has."""
        return list(request.client.scopes)

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """And as what the person let the app act; a code that is gone may have been used."""
        good = bool(super().validate_code(client_id, code, client, request, *args, **kw))
        if good:
            grant = Grant.objects.get(code=code, application=client)
            request.acting = (grant.purpose, grant.assured)
            request.origin = _origin(code, grant.code_challenge)
        else:
            self._used_again(code, request)
        return good

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Any, *args: Any, **kw: Any
    ) -> None:
        """Used by somebody else meanwhile is used twice."""
        try:
            super().invalidate_authorization_code(client_id, code, request, *args, **kw)
        except InvalidGrantError:
            self._used_again(code, request)
            raise

    def _used_again(self, code: str, request: Any) -> None:
        """Only for who has the verifier too: a code that was overheard harms nobody."""
        proof = hashlib.sha256(_given(request, "code_verifier").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        by, client = _machine(request.client), request.client
        end_family(origin=_origin(code, challenge), client=client, by=by, at=timezone.now())

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """The same for a token that is swapped for the next one."""
        good = bool(super().validate_refresh_token(refresh_token, client, request, *args, **kw))
        if not good:
            return False
        held = request.refresh_token_instance
        request.acting = (held.purpose, held.assured)
        return bool(held.stamp == stamp_of(held.user))

    def _create_authorization_code(self, request: Any, code: Any, expires: Any = None) -> Any:
        made = super()._create_authorization_code(request, code, expires)
        _mark(Grant, made, request)
        told(request.client, "client.allow", by=_person(request), at=timezone.now())
        return made

    def _create_access_token(self, *args: Any, **kwargs: Any) -> Any:
        made = super()._create_access_token(*args, **kwargs)
        request = args[1]
        _mark(AccessToken, made, request)
        by = _person(request) if request.user else _machine(request.client)
        scopes = made.scope.split()
        told(request.client, "token.issue", by=by, at=timezone.now(), scopes=scopes)
        return made

    def _create_refresh_token(self, request: Any, *args: Any) -> Any:
        made = super()._create_refresh_token(request, *args)
        _mark(RefreshToken, made, request)
        before = args[-1]
        origin = before.origin if before else getattr(request, "origin", "")
        RefreshToken.objects.filter(pk=made.pk).update(origin=origin)
        return made

    def revoke_token(
        self, token: str, token_type_hint: str, request: Any, *args: Any, **kw: Any
    ) -> None:
        """Over with the next request; the log says who gave it back."""
        super().revoke_token(token, token_type_hint, request, *args, **kw)
        if request.client:
            by = _machine(request.client)
            told(request.client, "token.revoke", by=by, at=timezone.now())


def _given(request: Any, name: str) -> str:
    return str(getattr(request, name, None) or "")


def _origin(code: str, challenge: str) -> str:
    return fingerprint(f"{code} {challenge}")


def _knows(client: Client, secret: str) -> bool:
    """Whether it is one of the client's secrets. Of full entropy, so a fast hash does."""
    if not secret or client.client_type != Client.CLIENT_CONFIDENTIAL:
        return False
    lasting = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return client.secrets.filter(lasting, fingerprint=fingerprint(secret)).exists()


def _refused(client: Client) -> None:
    if cache.add(f"partners:refused:{client.pk}", 1, REFUSALS_EVERY):
        told(client, "client.refuse", by=_machine(client), at=timezone.now())


def _mark(kind: Any, made: Any, request: Any) -> None:
    """As what it acts: a machine by its own purpose, an app as the person said."""
    purpose, assured = getattr(request, "acting", None) or (request.client.purpose, True)
    stamp = stamp_of(request.user) if request.user else ""
    kind.objects.filter(pk=made.pk).update(purpose=purpose, assured=assured, stamp=stamp)


def _machine(client: Client) -> Who:
    return Who(
        kind="client",
        id=client.client_id,
        name=client.name,
        organization=client.organization.code,
        organization_name=client.organization.name,
    )


def _person(request: Any) -> Who:
    return Who(
        kind="user",
        id=request.user.public_id,
        name=request.user.name,
        organization=request.client.organization.code,
        organization_name=request.client.organization.name,
        client=request.client.client_id,
    )
