"""One notice, one e-mail: each once, and when the person wants it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import override

from sharing.kernel.saying import said
from sharing.tenants.models import Organization, User
from sharing.tenants.services import language_of

from .models import Mail, Notice
from .plain import plain
from .rules import Addressee, subject_of
from .wishes import kept_back

Context = Callable[[], dict[str, Any]]


def absolute(path: str) -> str:
    """A link for an e-mail: from PUBLIC_URL, never from a Host header."""
    return f"{settings.PUBLIC_URL}{path}"


def notify(
    user: User,
    organization: Organization,
    kind: str,
    text: str,
    link: str,
    key: str,
    *,
    at: datetime,
) -> None:
    """One line for one person, once for each key."""
    values = {"organization": organization, "kind": kind, "link": link, "made_at": at}
    Notice.objects.get_or_create(user=user, key=key, defaults=values | {"text": text[:300]})


def post_to_all(
    people: Iterable[User],
    key: str,
    template: str,
    organization: Organization,
    context: Context,
    *,
    at: datetime,
) -> None:
    """The same to each, as `post_each`."""
    post_each(dict.fromkeys(people, context), key, template, organization, at=at)


def post_each(
    contexts: Mapping[User, Context],
    key: str,
    template: str,
    organization: Organization,
    *,
    at: datetime,
) -> None:
    """To each their own, whatever becomes of the others; raises the first failure when all were
    tried.

    One mailbox that refuses would else keep everybody after it in the dark, at every try.
    """
    failures = []
    for user, context in contexts.items():
        if kept_back(user, key, template, organization, context, at=at):
            continue
        to = Addressee(user.email, user.name)
        try:
            post(f"{key}:{user.pk}", to, template, organization, context, at=at)
        except (OSError, ValueError) as error:  # a refusing server; an address that is none
            failures.append(error)
    if failures:
        raise failures[0]


def post(
    key: str,
    to: Addressee,
    template: str,
    organization: Organization,
    context: Context,
    *,
    at: datetime,
) -> None:
    """Send one e-mail, once, in its reader's language.

    The outbox's lease keeps two workers from the same one. When sending
    fails the row stays unsent and the next ring tries again.
    """
    mail, _ = Mail.objects.get_or_create(key=key, defaults={"to": to.email, "template": template})
    if mail.sent_at is not None:
        return
    values = {"to": to, "organization": organization, "portal": settings.PUBLIC_URL} | context()
    with override(language_of(to.email, organization)):
        subject = said(subject_of(template, organization.name))
        html = render_to_string(f"mail/{template}.html", values)
    message = EmailMultiAlternatives(subject=subject, body=plain(html), to=[to.email])
    message.attach_alternative(html, "text/html")
    message.send()
    mail.sent_at = at
    mail.save(update_fields=["sent_at"])
