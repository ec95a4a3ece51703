"""Keeping a search: its name, and what narrows the list."""

from django import forms

from .joining import one_line


class SaveSearchForm(forms.Form):
    """`query` is the address's own, as the list was asked for."""

    name = forms.CharField(max_length=60, validators=[one_line])
    query = forms.CharField(max_length=1000)
