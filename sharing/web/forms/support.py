"""Asking a hospital for a support session."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from .base import Form


class SupportForm(Form):
    """Where, why, for how long."""

    organization: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Organization", queryset=None, to_field_name="code", empty_label="Choose"
    )
    reason = forms.CharField(
        label="Why you must look at studies",
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The hospital reads this, and so does whoever reads its log. No patient’s name.",
    )
    hours = forms.TypedChoiceField(
        label="For how long",
        coerce=int,
        choices=[(1, "1 hour"), (2, "2 hours"), (4, "4 hours")],
        initial=1,
    )

    def __init__(self, *args: Any, where: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = where  # type: ignore[attr-defined]
