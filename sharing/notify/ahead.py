"""Who is told ahead that a share ends or waits for a word, and that somebody still needs it."""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.urls import reverse

from sharing.access.models import Grant, RenewalAsk, Share

from .posting import notify
from .rules import day_of, ending_text, leaving_text, renewal_text, review_text
from .services import shared_list, who_share
from .sight import in_sight, recipients

TOLD_AHEAD = timedelta(days=14)


def tell_renewal_asked(*, ask_id: int, at: datetime) -> None:
    """A grantee asks that a share goes on: those who shared it are told."""
    ask = RenewalAsk.objects.select_related("asked_by", "asked_for", "share__custodian").get(
        pk=ask_id
    )
    where = ask.share.shared_for or ask.share.custodian
    text = renewal_text(ask.asked_by.name, ask.asked_for.name)
    link = reverse("web:renew-share", args=[ask.share.public_id])
    for user in who_share(where.pk):
        notify(user, where, "renewal", text, link, f"renewal:{ask.pk}", at=at)


def tell_endings(*, at: datetime) -> None:
    """What ends within a fortnight: who shared it and who sees it are told, once for each end.

    Of a standing share's review only who shared it: the grantee can't do anything about it.
    """
    soon = Grant.objects.live(at).filter(parent=None, share__renewed_by=None, share__album="")
    for share_id in _shares_of(soon.filter(ends_at__lte=at + TOLD_AHEAD)):
        _tell_ending(share_id, at)
    reviews = soon.filter(review_by__lte=at + TOLD_AHEAD, review_by__lt=F("ends_at"))
    for share_id in _shares_of(reviews):
        _tell_review(share_id, at)


def _shares_of(grants: QuerySet[Grant]) -> list[int]:
    return list(grants.order_by("share").values_list("share", flat=True).distinct())


def _tell_ending(share_id: int, at: datetime) -> None:
    share = _share(share_id)
    to, ends = share.to_organization, min(grant.ends_at for grant in share.grants.all())
    if to is None:
        return
    key, until = f"ending:{share.pk}", day_of(ends)
    where, link = share.shared_for or share.custodian, reverse("web:due")
    whom = share.to_user or share.to_team or to
    notify(share.shared_by, where, "ending", ending_text(whom.name, until), link, key, at=at)
    for user in in_sight(share, to, recipients(share, to), at=at):
        text = leaving_text(share.shared_by.name, until)
        notify(user, to, "ending", text, shared_list(), key, at=at)


def _tell_review(share_id: int, at: datetime) -> None:
    share = _share(share_id)
    due = min(grant.review_by for grant in share.grants.all() if grant.review_by)
    whom = share.to_user or share.to_team or share.to_organization
    where, link = share.shared_for or share.custodian, reverse("web:due")
    text = review_text(whom.name if whom else "somebody", day_of(due))
    key = f"review:{share.pk}:{due:%Y%m%d}"
    notify(share.shared_by, where, "review", text, link, key, at=at)


def _share(share_id: int) -> Share:
    related = ("custodian", "shared_by", "shared_for", "to_organization", "to_user", "to_team")
    return Share.objects.select_related(*related).prefetch_related("grants").get(pk=share_id)
