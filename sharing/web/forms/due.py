"""Letting a share or a consent go on: until when, and how the patient agreed again."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from sharing.access.services import TOLD_HOW
from sharing.consent.services import Said
from sharing.web import words

from .agreed import AgreedForm
from .days import DayField, days_on, end_of

USUAL_DAYS = 90


class RenewForm(forms.Form):
    """Until when a share goes on; `latest` is when the consent that carries it ends."""

    until = DayField(label="Until")

    def __init__(self, *args: Any, at: datetime, latest: datetime | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at, self.latest = at, latest
        usual = days_on(at, USUAL_DAYS)
        last = timezone.localtime(latest).date() if latest else usual
        self.fields["until"].initial = min(usual, last)

    def clean_until(self) -> datetime:
        """The end of that day; on the consent's own last day the consent's end."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("The share must end in the future.")
        if self.latest is None or end <= self.latest:
            return end
        if timezone.localtime(end).date() == timezone.localtime(self.latest).date():
            return self.latest
        raise forms.ValidationError(f"The consent ends {words.day(self.latest)}.")


class AgainForm(AgreedForm):
    """The patient says the same again: until when, who agreed, and how."""

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at

    def clean(self) -> dict[str, Any]:
        """What one field asks of another."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self.check_last_day()
        self.check_agreement()
        return data

    def said_again(self, before: Said, used: int) -> Said:
        """All that was said before, from now on; so many uses as were permitted come on top."""
        more = before.maximum_uses
        return replace(
            before,
            starts_at=self.at,
            ends_at=self.end(),
            maximum_uses=None if more is None else used + more,
            proxy=None,
            verified_by="",
            verified_at=None,
            **self.agreed(),
        )


class ToldForm(forms.Form):
    """How a patient was told of a use."""

    how = forms.ChoiceField(label="How", choices=list(TOLD_HOW.items()), initial="phone")
