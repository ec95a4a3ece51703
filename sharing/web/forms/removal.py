"""Removing, holding, deciding: why, in which words, and of what."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from sharing.archive.rules import WHY_DELETE, WHY_REJECT, Why

from .joining import one_line

_NUMBERS = re.compile(r"\d{1,6}(\s*-\s*\d{1,6})?(\s*,\s*\d{1,6}(\s*-\s*\d{1,6})?)*")
MOST_NUMBERS = 5000


class ReasonForm(forms.Form):
    """A reason from the list, and words where they are needed."""

    offered: Sequence[Why] = ()
    reason = forms.ChoiceField(
        label="Why", widget=forms.RadioSelect, error_messages={"required": "Choose why."}
    )
    words = forms.CharField(
        label="In a few words",
        max_length=300,
        required=False,
        validators=[one_line],
        help_text="The access log keeps it. No names, no medical details.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(why.value, why.words) for why in self.offered]
        self.fields["reason"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Another reason needs words."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("reason") == Why.OTHER and not data.get("words", "").strip():
            self.add_error("words", "Say in a few words why.")
        return data

    @property
    def why(self) -> Why:
        """The chosen reason."""
        return Why(self.cleaned_data["reason"])


class DeleteForm(ReasonForm):
    """Why a study is deleted, and its typed confirmation."""

    offered = WHY_DELETE
    typed = forms.CharField(
        label="Type it to confirm",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
        error_messages={"required": "Type it to confirm."},
    )

    def __init__(self, *args: Any, wanted: str, what: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted
        self.fields["typed"].label = f"To confirm, type {what}"

    def clean_typed(self) -> str:
        """What stands on the page, and nothing else."""
        if self.cleaned_data["typed"].strip() != self.wanted:
            raise forms.ValidationError("This is not what stands above.")
        return self.wanted


class RejectForm(ReasonForm):
    """Why images are rejected, and which: whole series, or some of one series by their numbers."""

    offered = WHY_REJECT
    series = forms.MultipleChoiceField(
        label="Which series",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one series."},
    )
    numbers = forms.CharField(
        label="Only these images",
        max_length=300,
        required=False,
        help_text="Instance numbers of one series, such as 3, 5-7. Empty: all of the series.",
    )
    field_order = ("series", "numbers", "reason", "words")

    def __init__(self, *args: Any, series: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["series"].choices = list(series)  # type: ignore[attr-defined]

    def clean_numbers(self) -> set[int]:
        """The numbers, with the ranges written out."""
        text = self.cleaned_data["numbers"].strip()
        if not text:
            return set()
        if not _NUMBERS.fullmatch(text):
            raise forms.ValidationError("Write numbers like this: 3, 5-7.")
        found: set[int] = set()
        for part in text.split(","):
            first, _, last = part.partition("-")
            span = range(int(first), int(last or first) + 1)
            if len(span) + len(found) > MOST_NUMBERS:
                raise forms.ValidationError("These are too many; reject the whole series.")
            found.update(span)
        return found

    def clean(self) -> dict[str, Any]:
        """Numbers mean something within one series only."""
        data = super().clean()
        if data.get("numbers") and len(data.get("series", ())) > 1:
            self.add_error("numbers", "Choose one series, or leave the numbers empty.")
        return data


class WordsForm(forms.Form):
    """A reason in one's own words."""

    words = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        help_text="The access log keeps it. No names, no medical details.",
        error_messages={"required": "Say in a few words why."},
    )
