"""Departments and care teams, and what a person shows of themselves."""

from typing import Any

from django import forms

from sharing.tenants.rules import TeamKind
from sharing.tenants.services import Shown

from .base import Form
from .joining import one_line


class TeamForm(Form):
    """A new one."""

    name = forms.CharField(label="Name", max_length=120, validators=[one_line])
    kind = forms.TypedChoiceField(
        label="Kind",
        coerce=TeamKind,
        choices=(
            (TeamKind.DEPARTMENT.value, "Department"),
            (TeamKind.CARE_TEAM.value, "Care team"),
            (TeamKind.PROJECT.value, "Research project"),
        ),
    )


class JoinForm(Form):
    """Who joins."""

    who = forms.ChoiceField(label="Person")

    def __init__(self, *args: Any, people: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {person.public_id: person for person in people}
        named = ((key, person.name) for key, person in self.people.items())
        self.fields["who"].choices = [("", "Choose"), *named]  # type: ignore[attr-defined]

    @property
    def person(self) -> Any:
        """The one who was chosen."""
        return self.people[self.cleaned_data["who"]]


class ShownForm(Form):
    """What the region's directory shows of a person."""

    listed = forms.BooleanField(label="List me in the region’s directory", required=False)
    speciality = forms.CharField(
        label="Speciality", max_length=80, required=False, validators=[one_line]
    )
    phone = forms.CharField(
        label="Phone for colleagues", max_length=40, required=False, validators=[one_line]
    )
    languages = forms.CharField(
        label="Languages that I speak", max_length=80, required=False, validators=[one_line]
    )
    shows_email = forms.BooleanField(label="Show my work e-mail", required=False)

    @property
    def shown(self) -> Shown:
        """What was agreed to."""
        return Shown(**self.cleaned_data)
