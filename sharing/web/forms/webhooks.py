"""A webhook as an administrator describes it."""

from django import forms

from sharing.notify.rules import SUBSCRIBED

from .base import Form


class WebhookForm(Form):
    """Where, and of what it is told."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="A public https address of yours.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    kinds = forms.MultipleChoiceField(
        label="Tell it when",
        choices=[(kind.value, kind.words) for kind in SUBSCRIBED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    names_studies = forms.BooleanField(label="Name the Study Instance UID too", required=False)
