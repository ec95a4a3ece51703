"""What an organization's administrator fills in about it."""

from django import forms

from .base import Form
from .joining import one_line


class SignForm(Form):
    """Who signs the region's terms, in which function; `sha256` names what was shown."""

    signed_by = forms.CharField(label="Who signs", max_length=120, validators=[one_line])
    function = forms.CharField(
        label="In which function",
        max_length=120,
        validators=[one_line],
        help_text="For example: Medical director.",
    )
    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
