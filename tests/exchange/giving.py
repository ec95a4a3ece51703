"""Ada gives links, somebody has one: what the tests of links say again and again."""

from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.consent.rules import GranteeKind
from sharing.consent.services import Whom
from sharing.exchange.services import LinkWanted, Made, bearer, make_link
from sharing.kernel.purposes import Action, Purpose
from sharing.tenants.rules import Actor
from tests.cast import Region

DAY = timedelta(days=1)
ALL = frozenset({*Action.DOWNLOAD.ladder, Action.RESHARE})
CODE = "K7QM2XRD"


def lets_links(region: Region, at: datetime, **said: Any) -> Consent:
    """Pat lets Riverside give links away, to view and download."""
    values: dict[str, Any] = {
        "organizations": (),
        "others": (Whom(GranteeKind.LINK),),
        "actions": ALL,
        "purposes": frozenset({Purpose.TREATMENT, Purpose.PATIENT_REQUEST}),
        "at": at,
    }
    return region.permit(**(values | said))


def given(region: Region, *studies: Study, at: datetime, **said: Any) -> Made:
    """Ada gives a link for 7 days, to be used three times, with the code CODE."""
    values: dict[str, Any] = {
        "purpose": Purpose.TREATMENT, "until": at + 7 * DAY, "uses": 3, "code": CODE,
    }  # fmt: skip
    by = said.pop("by", region.ada.actor)
    subjects = [study.subject for study in studies]
    return make_link(subjects=subjects, wanted=LinkWanted(**(values | said)), by=by, at=at)


def whoever_has(made: Made, at: datetime) -> Actor:
    """The actor that the link makes at that moment."""
    actor = bearer(made.link.public_id, at=at)
    assert actor is not None
    return actor


def comes_in(client: Client, secret: str, code: str = CODE, **more: Any) -> Any:
    """Somebody's browser gives the link and the code."""
    return client.post("/open/", {"link": secret, "code": code}, **more)
