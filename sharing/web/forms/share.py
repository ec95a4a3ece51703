"""Sharing studies: with whom, what they may do, until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from sharing.kernel.purposes import Action, Purpose

from .days import DayField, EndingForm, days_on
from .whom import WhomForm

USUAL_DAYS = 90
MAY = (
    (Action.REPORT, "Read report", ""),
    (Action.IMAGES, "View images", "and read report"),
    (Action.DOWNLOAD, "Download", "and view images"),
    (Action.SEND, "Send to an archive", "and download"),
)
THESE, ALL = "these", "all"


class ShareForm(WhomForm, EndingForm):
    """With whom, for what, until when, with which words.

    `latest` is when the consent that carries the share ends, once the organization is known.
    """

    too_early = "The share must end in the future."

    to: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="To whom",
        queryset=None,
        to_field_name="code",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose with whom to share."},
    )
    person = forms.ChoiceField(label="Who there", required=False)
    what = forms.ChoiceField(
        label="What",
        choices=[(THESE, "these"), (ALL, "all")],
        required=False,
        widget=forms.RadioSelect,
    )
    may = forms.ChoiceField(
        label="May do",
        choices=[(action.value, word) for action, word, _ in MAY],
        required=False,
        widget=forms.RadioSelect,
    )
    onward = forms.BooleanField(label="They may share it on, inside these limits", required=False)
    purpose = forms.ChoiceField(
        label="Purpose",
        choices=[(Purpose.TREATMENT.value, "Treatment"), (Purpose.OPERATIONS.value, "Operations")],
        required=False,
    )
    until = DayField(label="Until")
    note = forms.CharField(
        label="Message",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Readers of the studies see it. The e-mail never carries it.",
    )

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What they may do, from the weakest on; viewing images while nothing is chosen."""
        chosen = (self.data.get("may") if self.is_bound else None) or self.initial.get("may")
        known = {action.value: action for action, _, _ in MAY}
        ladder = known.get(str(chosen), Action.IMAGES).ladder
        onward = self.is_bound and bool(self.data.get("onward"))
        return (*ladder, Action.RESHARE) if onward else ladder

    @property
    def for_purpose(self) -> Purpose:
        """Treatment while nothing is chosen."""
        chosen = self.data.get("purpose") if self.is_bound else None
        return Purpose.OPERATIONS if chosen == Purpose.OPERATIONS else Purpose.TREATMENT

    @property
    def standing(self) -> bool:
        """Whether studies that come later are meant too."""
        chosen = self.data.get("what") if self.is_bound else self.initial.get("what")
        return chosen == ALL

    def suggest(self, ends: Sequence[datetime | None]) -> None:
        """The usual days, or less where the first of the consents ends before."""
        soonest = min((end for end in ends if end is not None), default=None)
        if soonest is not None:
            usual = self.fields["until"].initial
            self.fields["until"].initial = min(usual, timezone.localtime(soonest).date())
