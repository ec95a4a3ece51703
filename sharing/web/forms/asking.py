"""Asking for access, and answering."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from .days import DayField, days_on, end_of
from .joining import one_line

USUAL_DAYS = 30


class AskForm(forms.Form):
    """Whom to ask, about whom, and why."""

    custodian: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Ask whom",
        queryset=None,
        to_field_name="code",
        empty_label="Choose",
        error_messages={"required": "Choose whom to ask."},
    )
    identifier = forms.CharField(
        label="Patient’s identifier there", max_length=64, validators=[one_line]
    )
    birth_date = DayField(label="Born", example="2 Jun 1958")
    reason = forms.CharField(
        label="Reason",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They read it, and decide by it.",
    )

    def __init__(self, *args: Any, organizations: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["custodian"].queryset = organizations  # type: ignore[attr-defined]


class ApproveForm(forms.Form):
    """Until when."""

    until = DayField(label="Until")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    def clean_until(self) -> datetime:
        """The end of that day, which must lie ahead."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("The share must end in the future.")
        return end


class RefuseForm(forms.Form):
    """The words that who asked reads."""

    why = forms.CharField(
        label="Why not",
        max_length=300,
        validators=[one_line],
        help_text="They read these words, and nothing else. "
        "Do not say whether you know the patient.",
    )
