"""What became of copies that are recalled."""

from django import forms

from sharing.notify.rules import RecallEvent

from .base import Form


class AnswerForm(Form):
    """One of the answers, and why where copies are kept."""

    event = forms.ChoiceField(choices=[(each.value, each.value) for each in RecallEvent])
    why = forms.CharField(
        label="Why",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For copies that are kept: by which law or for which reason.",
    )
