"""Whom something is for: an organization, or one person or department there."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

TEAM = "team:"


class WhomForm(forms.Form):
    """Gives a form with the fields `to` and `person` its choices, and looks that they fit.

    `people` are memberships, and with `teams` in the order of their organizations.
    """

    def __init__(
        self,
        *args: Any,
        organizations: QuerySet[Any],
        people: Sequence[Any],
        teams: Sequence[Any] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {(row.organization.code, row.user.public_id): row.user for row in people}
        self.teams = {(team.organization.code, TEAM + team.public_id): team for team in teams}
        self.fields["to"].queryset = organizations  # type: ignore[attr-defined]
        self.fields["person"].choices = by_organization(people, teams=teams)  # type: ignore[attr-defined]

    @property
    def who(self) -> Any:
        """The chosen person; None for a department or the whole organization."""
        return self.cleaned_data.get("who")

    @property
    def team(self) -> Any:
        """The chosen department; None for a person or the whole organization."""
        return self.cleaned_data.get("team")

    def clean(self) -> dict[str, Any]:
        """The person or the department must be one of the chosen organization."""
        data = super().clean() or self.cleaned_data
        to, person = data.get("to"), data.get("person")
        key = (to.code if to is not None else "", person or "")
        data["who"], data["team"] = self.people.get(key), self.teams.get(key)
        if all(key) and data["who"] is None and data["team"] is None:
            self.add_error("person", "This is not at the organization that you chose.")
        return data


def by_organization(
    people: Sequence[Any],
    everybody: str = "Everybody there who treats",
    *,
    teams: Sequence[Any] = (),
) -> list[tuple[str, Any]]:
    """The choices of a select: everybody, then departments and people under their organization."""
    offered: dict[str, list[tuple[str, str]]] = {}
    for team in teams:
        offered.setdefault(team.organization.name, []).append((TEAM + team.public_id, team.name))
    for row in people:
        named = (row.user.public_id, row.user.name)
        offered.setdefault(row.organization.name, []).append(named)
    return [("", everybody), *sorted(offered.items())]
