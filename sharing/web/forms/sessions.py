"""How long sessions last at an organization."""

from django import forms

from .base import Form


class LimitsForm(Form):
    """Minutes and hours."""

    idle_minutes = forms.IntegerField(
        label="Sign out after so many idle minutes", min_value=2, max_value=240
    )
    shared_minutes = forms.IntegerField(
        label="The same at a shared workstation", min_value=1, max_value=60
    )
    longest_hours = forms.IntegerField(
        label="Sign in again after so many hours", min_value=1, max_value=24
    )
