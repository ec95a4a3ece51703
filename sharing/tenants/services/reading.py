"""In which language somebody reads: what the portal shows them and what it writes to them."""

from sharing.tenants.models import Organization, User
from sharing.tenants.rules import ENGLISH, READ


def choose_language(*, user: User, language: str) -> None:
    """The person chose it, for what is written to them from now on; what we don't speak is none."""
    if language in READ:
        User.objects.filter(pk=user.pk).update(language=language)
        user.language = language


def note_language(*, user: User, language: str) -> str:
    """What the person reads: as they chose, else as their browser asked at the first sign-in."""
    if not user.language:
        choose_language(user=user, language=language)
    return user.language or ENGLISH


def language_of(email: str, organization: Organization) -> str:
    """In which language to write to an address: its person's, else the organization's first."""
    known = User.objects.filter(email=email.lower(), is_active=True)
    chosen = known.values_list("language", flat=True).first()
    if chosen:
        return chosen
    first = next(iter(organization.languages), "").lower()
    return first if first in READ else ENGLISH
