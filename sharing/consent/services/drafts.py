"""What a clerk filled in, frozen while the patient reads: to JSON and back, by value and key."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sharing.consent.models import Proxy
from sharing.consent.rules import Decision, Force, GranteeKind, Performer, Verification
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.models import Organization, Team, User
from sharing.tenants.rules import Role

from .readings import Seen
from .saying import Said, Whom

_SETS: Mapping[str, Any] = {
    "purposes": Purpose,
    "actions": Action,
    "obligations": Obligation,
    "studies": str,
    "series": str,
    "modalities": str,
    "body_regions": str,
    "performing_organizations": str,
    "labels": str,
}


def packed(said: Said, *, studies: Sequence[Seen], shown: str) -> dict[str, Any]:
    """What the patient reads, and what is recorded when they sign: plain values."""
    return {
        "decision": said.decision,
        "force": said.force,
        "ends_at": _iso(said.ends_at),
        "data_from": _iso(said.data_from),
        "data_until": _iso(said.data_until),
        "maximum_uses": said.maximum_uses,
        "performer": said.performer,
        "performer_name": said.performer_name,
        "proxy": said.proxy.pk if said.proxy else None,
        "named": [_whom(each) for each in said.named],
        "excepted": [_whom(each) for each in said.excepted],
        "shown": shown,
        "seen": [[list(each.modalities), _iso(each.day)] for each in studies],
        **{name: sorted(map(str, getattr(said, name))) for name in _SETS},
    }


def unpacked(draft: Mapping[str, Any], *, at: datetime, language: str) -> Said:
    """The same as it is said when it is signed: it begins at that moment."""
    sets: dict[str, Any] = {name: frozenset(map(kind, draft[name])) for name, kind in _SETS.items()}
    return Said(
        decision=Decision(draft["decision"]),
        force=Force(draft["force"]),
        starts_at=at,
        ends_at=datetime.fromisoformat(draft["ends_at"]) if draft["ends_at"] else None,
        data_from=_day(draft["data_from"]),
        data_until=_day(draft["data_until"]),
        maximum_uses=draft["maximum_uses"],
        performer=Performer(draft["performer"]),
        performer_name=draft["performer_name"],
        proxy=Proxy.objects.get(pk=draft["proxy"]) if draft["proxy"] else None,
        others=tuple(_named(draft["named"])),
        excepted=tuple(_named(draft["excepted"])),
        verification=Verification.QR,
        language=language,
        shown=draft["shown"],
        **sets,
    )


def seen_in(draft: Mapping[str, Any]) -> list[Seen]:
    """The studies that it is limited to, as the patient knows them."""
    return [Seen(tuple(modalities), _day(day)) for modalities, day in draft["seen"]]


def _whom(whom: Whom) -> list[Any]:
    rows = (whom.organization, whom.user, whom.team)
    return [whom.kind, *(row.pk if row else None for row in rows), whom.role]


def _named(rows: Iterable[Sequence[Any]]) -> Iterable[Whom]:
    for kind, organization, user, team, role in rows:
        yield Whom(
            GranteeKind(kind),
            Organization.objects.get(pk=organization) if organization else None,
            User.objects.get(pk=user) if user else None,
            Team.objects.select_related("organization").get(pk=team) if team else None,
            Role(role) if role else None,
        )


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
