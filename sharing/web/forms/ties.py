"""A referral, a consult or a transfer: who, about what, until when, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from sharing.access.services import Kind
from sharing.web import words

from .base import Form
from .days import DayField, days_on, end_of
from .joining import one_line

NAMES = {
    Kind.REFERRER: ("Referral", "This person referred the patient for the study"),
    Kind.CONSULT: ("Consult", "We ask them about the study"),
    Kind.TRANSFER: ("Transfer", "They take the patient over, with all studies"),
}
DAYS = {Kind.REFERRER: 90, Kind.CONSULT: 14, Kind.TRANSFER: 30}


class TieForm(Form):
    """`alike` are the people whose name stands on a study: offered first, never chosen for you."""

    kind = forms.ChoiceField(label="What ties them", widget=forms.RadioSelect)
    study = forms.ChoiceField(label="Study", required=False)
    organization: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Organization", queryset=None, to_field_name="code", empty_label="Choose"
    )
    person = forms.ChoiceField(label="Person there", required=False)
    until = DayField(label="Until")
    reason = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        help_text="The letter, the call, the order: what you go by.",
    )

    def __init__(
        self,
        *args: Any,
        kinds: Sequence[Kind],
        studies: Sequence[tuple[str, str]],
        organizations: QuerySet[Any],
        people: Sequence[Any],
        at: datetime,
        **kwargs: Any,
    ) -> None:
        """`people` are memberships, `studies` public ids with their titles."""
        super().__init__(*args, **kwargs)
        self.at, self.kinds = at, tuple(kinds)
        self.people = {(row.organization.code, row.user.public_id): row.user for row in people}
        fields: Any = self.fields
        fields["kind"].choices = [(kind.value, NAMES[kind][0]) for kind in kinds]
        fields["kind"].initial = self.kinds[0].value if self.kinds else None
        fields["study"].choices = [("", "All studies of the patient"), *studies]
        fields["organization"].queryset = organizations
        offered = [
            (row.user.public_id, f"{row.user.name}, {row.organization.name}") for row in people
        ]
        fields["person"].choices = [("", "The organization as a whole"), *offered]
        fields["until"].initial = days_on(at, DAYS[self.kinds[0]] if self.kinds else 30)

    @property
    def offered(self) -> list[tuple[str, str, str]]:
        """Value, name and meaning of each kind, for the page."""
        return [(kind.value, *NAMES[kind]) for kind in self.kinds]

    def clean(self) -> dict[str, Any]:
        """The person must be one of the chosen organization; the study fits the kind."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind, there = data.get("kind"), data.get("organization")
        key = (there.code if there is not None else "", data.get("person") or "")
        data["who"] = self.people.get(key)
        if all(key) and data["who"] is None:
            self.add_error("person", "This person is not at the organization that you chose.")
        if kind == Kind.REFERRER and not key[1]:
            self.add_error("person", "Choose who referred the patient.")
        if kind == Kind.TRANSFER:
            data["study"] = ""
        elif kind and not data.get("study"):
            self.add_error("study", "Choose the study that it is about.")
        return data

    def clean_until(self) -> datetime:
        """The end of that day, which must lie ahead."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("It must end in the future.")
        return end


def title(study: Any, name: str) -> tuple[str, str]:
    """A study as a choice."""
    return study.public_id, f"{name}, {words.day(study.study_date) or 'date unknown'}"
