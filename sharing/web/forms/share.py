"""Sharing own studies with an organization."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from sharing.kernel.purposes import Purpose
from sharing.web import words

from .days import DayField, days_on, end_of

USUAL_DAYS = 90


class ShareForm(forms.Form):
    """With whom, for what, until when, with which words.

    `latest` is when the consent that carries the share ends, once the organization is known.
    """

    to: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="To whom",
        queryset=None,
        to_field_name="code",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose with whom to share."},
    )
    purpose = forms.ChoiceField(
        label="Purpose", choices=[(Purpose.TREATMENT.value, "Treatment")], required=False
    )
    until = DayField(label="Until")
    note = forms.CharField(
        label="Message",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Readers of the studies see it. The e-mail never carries it.",
    )

    def __init__(
        self, *args: Any, organizations: QuerySet[Any], at: datetime, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.fields["to"].queryset = organizations  # type: ignore[attr-defined]
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    def suggest(self, ends: Sequence[datetime | None]) -> None:
        """The usual days, or less where the first of the consents ends before."""
        soonest = min((end for end in ends if end is not None), default=None)
        if soonest is not None:
            usual = self.fields["until"].initial
            self.fields["until"].initial = min(usual, timezone.localtime(soonest).date())

    def clean_until(self) -> datetime:
        """The end of that day, which must lie ahead."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("The share must end in the future.")
        return end

    def keep_inside(self, latest: datetime | None) -> None:
        """An error beside `until` when it would outlive the consent that carries it.

        On the consent's own last day the share ends with it: people choose days, not minutes.
        """
        until = self.cleaned_data.get("until")
        if latest is None or until is None or until <= latest:
            return
        if timezone.localtime(until).date() == timezone.localtime(latest).date():
            self.cleaned_data["until"] = latest
        else:
            self.add_error("until", f"The consent ends {words.day(latest)}.")
