"""The question whether somebody may do something with a study, and when."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone

from sharing.kernel.purposes import Action, Purpose

from .days import DayField, end_of

MAY = (
    (Action.IMAGES, "View images"),
    (Action.REPORT, "Read the report"),
    (Action.DISCOVER, "Find the study"),
    (Action.DOWNLOAD, "Download"),
    (Action.SEND, "Send to an archive"),
    (Action.RESHARE, "Share on"),
)
"""The first is meant where nothing is chosen."""
FOR = (Purpose.TREATMENT, Purpose.OPERATIONS, Purpose.RESEARCH)
MYSELF = ""


class ExplainForm(forms.Form):
    """Who, doing what, for which purpose, when; all of it may be left as it is."""

    who = forms.ChoiceField(label="Who", required=False)
    do = forms.ChoiceField(
        label="Wants to", choices=[(action.value, word) for action, word in MAY], required=False
    )
    purpose = forms.ChoiceField(
        label="For",
        choices=[(each.value, each.words.capitalize()) for each in FOR],
        required=False,
    )
    day = DayField(label="On", required=False, example="12 Nov 2026")
    clock = forms.TimeField(
        label="At",
        required=False,
        input_formats=["%H:%M"],
        error_messages={"invalid": "Write the time as 14:30."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "14:30"}),
    )

    def __init__(self, *args: Any, people: Sequence[Any], **kwargs: Any) -> None:
        """`people` are memberships, in the order of their organizations; none: only oneself."""
        super().__init__(*args, **kwargs)
        groups = groupby(people, key=lambda row: row.organization.name)
        named = [(name, [(_key(row), row.user.name) for row in rows]) for name, rows in groups]
        self.fields["who"].choices = [(MYSELF, "Myself"), *named]  # type: ignore[attr-defined]

    @property
    def action(self) -> Action:
        """Viewing images while nothing is chosen."""
        return Action(self.cleaned_data.get("do") or Action.IMAGES)

    @property
    def for_purpose(self) -> Purpose:
        """Treatment while nothing is chosen."""
        return Purpose(self.cleaned_data.get("purpose") or Purpose.TREATMENT)

    @property
    def whom(self) -> tuple[str, str]:
        """The organization's code and the person's id; blank for oneself."""
        code, _, person = str(self.cleaned_data.get("who") or "").partition(":")
        return code, person

    def moment(self, at: datetime) -> datetime:
        """What was written; without a time the end of that day, without a day now."""
        day, clock = self.cleaned_data.get("day"), self.cleaned_data.get("clock")
        if day is None and clock is None:
            return at
        on = day or timezone.localtime(at).date()
        return timezone.make_aware(datetime.combine(on, clock)) if clock else end_of(on)


def _key(row: Any) -> str:
    return f"{row.organization.code}:{row.user.public_id}"
