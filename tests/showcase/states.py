"""The states that are shown: component, what the state is called, and its context.

What stands here is said by the region's cast; nobody of it lives.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace as Thing
from typing import Any

from django import forms
from django.core.paginator import Paginator

from sharing.kernel.purposes import Purpose
from sharing.web import charts

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
RIVERSIDE = Thing(name="Riverside General Hospital", mark="RI", code="riverside")
HILLTOP = Thing(name="Hilltop Family Clinic", mark="HT", code="hilltop")
LIN = Thing(
    pk=1, public_id="lin", latin="LIN Xiaoyan", native="林晓燕", birth_date=date(1971, 3, 14),
    sex="F", identifier="204 7731", issuer="RI", identity_state="confirmed", language="中文",
)  # fmt: skip
DOE = Thing(
    pk=2, public_id="doe", latin="DOE Jan", native="", birth_date=None, sex="", identifier="88-1",
    issuer="", identity_state="unconfirmed", language="",
)  # fmt: skip
BEN = Thing(
    name="Ben Hartley", organization_name=HILLTOP.name, organization_code="hilltop",
    organization_mark="HT", purpose=Purpose.TREATMENT, support=None,
)  # fmt: skip
LETS_IN = Thing(key="s", approved_by="Olga Marsh", until=NOW + timedelta(hours=1))
OLU = Thing(organization_name=RIVERSIDE.name, support=LETS_IN)
State = tuple[str, str, dict[str, Any]]


def ground(kind: str, sentence: str, days: int = 0) -> Any:
    """Why something may be seen, and until when."""
    return Thing(kind=kind, sentence=sentence, until=NOW + timedelta(days=days) if days else None)


GROUNDS = (
    ground("consent", "Patient permitted Hilltop Family Clinic for treatment", 90),
    ground("own", "Your own organization holds this study"),
    ground("shared", "Riverside General Hospital shared it", 30),
    ground("referrer", "You asked for this study"),
    ground("emergency", "Emergency access", 1),
    ground("policy", "The region’s policy opens it to who treats"),
    ground("waiting", "Riverside General Hospital has not answered yet"),
    ground("refused", "The patient refuses"),
)


def study(title: str, modality: str, **facts: Any) -> Any:
    """A study as the lists have it."""
    known = {
        "public_id": "study", "title": title, "modalities": [modality], "patient": LIN,
        "study_date": date(2026, 11, 12), "custodian": RIVERSIDE, "series_count": 3, "own": False,
        "instance_count": 612, "state": "complete", "thumbnail_url": "", "ground": GROUNDS[0],
        "url": "", "viewer_url": "#", "unread": False, "report_state": None,
    }  # fmt: skip
    return Thing(**(known | facts))


STUDIES = (
    study("CT chest", "CT", unread=True),
    study("Chest, two views", "CR", own=True, custodian=HILLTOP, ground=GROUNDS[1], patient=DOE),
    study("MR knee", "MR", state="receiving", study_date=None),
)


def message(level: str, text: str) -> Any:
    """What the portal says of what was just done."""

    class Said(str):
        level_tag = level

    return Said(text)


class Form(forms.Form):
    """Fields of each kind, with help where people get stuck."""

    why = forms.CharField(label="Why", help_text="The patient can read it.")
    until = forms.DateField(label="Until")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    proven = forms.BooleanField(label="The patient was asked")
    what = forms.ChoiceField(
        label="What", choices=[("view", "View"), ("copy", "Download")], widget=forms.RadioSelect
    )


def consent(state: str, decision: str = "permit", **facts: Any) -> dict[str, Any]:
    """A consent's card in that state."""
    known = {
        "number": "C-2041", "version": 2, "decision": decision, "state": state, "url": "#",
        "sentence": "Hilltop Family Clinic may view CT and MR for treatment", "starts": NOW,
        "ends": NOW + timedelta(days=90), "verified": "Signed on paper", "scan_url": "#",
        "revoked_at": None,
    }  # fmt: skip
    return {"consent": Thing(**(known | facts))}


def event(**facts: Any) -> Any:
    """One line of an access log."""
    known = {
        "at": NOW, "who": "Ben Hartley", "organization": HILLTOP.name, "did": "viewed CT chest",
        "ground": "Patient permitted Hilltop Family Clinic for treatment", "url": "#",
    }  # fmt: skip
    return Thing(**(known | facts))


def chosen() -> list[Any]:
    """What Ben may act for."""
    pairs = ((HILLTOP, Purpose.TREATMENT), (RIVERSIDE, Purpose.TREATMENT))
    return [Thing(key=each.code, organization=each, purpose=purpose) for each, purpose in pairs]


def places() -> list[Any]:
    """The words of the navigation."""
    words = (
        ("Home", "house"),
        ("Patients", "people"),
        ("Studies", "collection"),
        ("Shares", "share"),
    )
    return [Thing(label=w, icon=i, url="#", current=w == "Studies") for w, i in words]


def states() -> Iterator[State]:
    """All of them, in the order of the pages that they make."""
    header = {"actor": BEN, "nav": places(), "search_url": "/studies/", "notices_count": 2,
              "acting_choices": chosen(), "user": Thing(email="ben@hilltop.example")}  # fmt: skip
    yield "brand", "the mark", {}
    yield "header", "signed in", header
    yield "header", "signed out", {}
    yield "acting", "for whom and for what", {**header, "act_as_url": "#"}
    yield "me_items", "the account’s menu", header
    for count in (0, 3):
        yield "bell", f"{count} new", {"notices_count": count}
    yield "support_bar", "while it lasts", {"actor": OLU}
    yield (
        "glass_bar",
        "while it lasts",
        {"glass": Thing(public_id="g", ends_at=NOW), "patient": LIN},
    )
    yield "patient_banner", "confirmed, with what comes next", {
        "patient": LIN, "may_break": True, "primary_url": "#", "primary_label": "Share studies",
    }  # fmt: skip
    yield "patient_banner", "little is known", {"patient": DOE}
    for each in GROUNDS:
        yield "ground_line", each.kind, {"ground": each}
    for mine in (True, False):
        yield "org_mark", "mine" if mine else "another’s", {"org": HILLTOP, "mine": mine}
    yield "modalities", "of one study", {"study": Thing(modalities=["PT", "CT"])}
    yield "thumb", "without a picture", {"study": STUDIES[0]}
    for kind in ("", "ok", "no", "wait", "info", "glass", "res", "pet"):
        yield "chip", kind or "grey", {"word": "Complete", "icon": "check-lg", "kind": kind}
    for each in STUDIES:
        yield "study_row", each.title, {"study": each}
    yield "study_row", "under the patient’s banner", {"study": STUDIES[0], "hide_patient": True}
    yield "study_table", "to choose from", {"studies": STUDIES, "sort": "-date", "choosable": True}
    for number in (1, 3):
        page = Paginator(range(22), 10).page(number)
        yield "pagination", f"page {number} of 3", {"page": page}
    yield (
        "pagination",
        "more than are counted",
        {"page": Paginator(range(50), 25).page(1), "more": True},
    )
    yield "consent_card", "permits", consent("active")
    yield "consent_card", "denies", consent("active", "deny", ends=None)
    yield "consent_card", "withdrawn", consent("revoked", revoked_at=NOW)
    for state in ("draft", "expired", "refused", "superseded"):
        yield "consent_card", state, consent(state)
    yield (
        "access_timeline",
        "who did what",
        {
            "events": [
                event(),
                event(refused=True, ground="The patient refuses"),
                event(emergency=True),
            ]
        },
    )
    yield "access_timeline", "nobody yet", {"events": []}
    yield "form_fields", "as it is offered", {"form": Form()}
    yield "form_fields", "sent too early", {"form": Form({})}
    yield "form_field", "optional", {"field": Form()["note"], "optional": True}
    yield "field_errors", "beside the field", {"field": Form({})["why"]}
    yield "error_summary", "above the form", {"form": Form({})}
    for level in ("error", "warning"):
        yield "alerts", level, {"messages": [message(level, "The file can’t be read.")]}
    yield "toasts", "done", {"messages": [message("success", "Shared with Hilltop Family Clinic.")]}
    yield "empty", "with the next step", {
        "heading": "No study yet", "sentence": "Upload files, a folder or a ZIP.", "url": "#",
        "label": "Upload studies",
    }  # fmt: skip
    yield (
        "upload",
        "nothing chosen yet",
        {"endpoint": "", "batch_endpoint": "", "max_words": "Up to 20 GB"},
    )
    yield "stats", "figures", {"stats": [
        {"word": "Views", "value": 1204, "more": "this month"},
        {"word": "Images held", "size": 41_000_000_000, "quota": 100_000_000_000},
    ]}  # fmt: skip
    bars = [{"seen": 12, "no": 0}, {"seen": 30, "no": 2}, {"seen": 18, "no": 0}]
    drawn = charts.stacked(("Sep", "Oct", "Nov"), bars, (("seen", "f-own"), ("no", "f-no")))
    yield "chart", "bars", {"chart": drawn, "label": "Openings by month"}
    tabs = [
        Thing(label=word, url="#", current=word == "Staff", count=0) for word in ("Staff", "Teams")
    ]
    yield "console", "beside its pages", {"console": Thing(label="Organization", tabs=tabs)}
    yield "recorded", "for strangers", {}
    yield "language", "the other one", {}
    yield "keys", "opened by ?", {}
    yield "idle", "two minutes before", {}


def dark() -> Iterator[State]:
    """Parts of the viewer, on its own ground."""
    decision = Thing(reason="Patient permitted Hilltop Family Clinic for treatment")
    yield "tools", "the bar", {}
    yield "access", "why it is shown", {
        "decision": decision, "study": Thing(organization=RIVERSIDE), "asks": [],
    }  # fmt: skip
    yield "notes", "what was measured", {}
    yield "help", "the sheet", {}
    yield "more", "what the bar leaves out", {}
