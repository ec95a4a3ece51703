"""Sharing studies: with whom, what they may do, until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from sharing.kernel.purposes import Action, Purpose
from sharing.web import words

from .days import DayField, days_on, end_of

USUAL_DAYS = 90
MAY = (
    (Action.REPORT, "Read report", ""),
    (Action.IMAGES, "View images", "and read report"),
    (Action.DOWNLOAD, "Download", "and view images"),
    (Action.SEND, "Send to an archive", "and download"),
)
THESE, ALL = "these", "all"
TEAM = "team:"


class ShareForm(forms.Form):
    """With whom, for what, until when, with which words.

    `latest` is when the consent that carries the share ends, once the organization is known.
    """

    to: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="To whom",
        queryset=None,
        to_field_name="code",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose with whom to share."},
    )
    person = forms.ChoiceField(label="Who there", required=False)
    what = forms.ChoiceField(
        label="What",
        choices=[(THESE, "these"), (ALL, "all")],
        required=False,
        widget=forms.RadioSelect,
    )
    may = forms.ChoiceField(
        label="May do",
        choices=[(action.value, word) for action, word, _ in MAY],
        required=False,
        widget=forms.RadioSelect,
    )
    onward = forms.BooleanField(label="They may share it on, inside these limits", required=False)
    purpose = forms.ChoiceField(
        label="Purpose",
        choices=[(Purpose.TREATMENT.value, "Treatment"), (Purpose.OPERATIONS.value, "Operations")],
        required=False,
    )
    until = DayField(label="Until")
    note = forms.CharField(
        label="Message",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Readers of the studies see it. The e-mail never carries it.",
    )

    def __init__(
        self,
        *args: Any,
        organizations: QuerySet[Any],
        people: Sequence[Any],
        teams: Sequence[Any] = (),
        at: datetime,
        **kwargs: Any,
    ) -> None:
        """`people` are memberships, and with `teams` in the order of their organizations."""
        super().__init__(*args, **kwargs)
        self.at = at
        self.people = {(row.organization.code, row.user.public_id): row.user for row in people}
        self.fields["to"].queryset = organizations  # type: ignore[attr-defined]
        self.teams = {(team.organization.code, TEAM + team.public_id): team for team in teams}
        self.fields["person"].choices = by_organization(people, teams=teams)  # type: ignore[attr-defined]
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What they may do, from the weakest on; viewing images while nothing is chosen."""
        chosen = (self.data.get("may") if self.is_bound else None) or self.initial.get("may")
        known = {action.value: action for action, _, _ in MAY}
        ladder = known.get(str(chosen), Action.IMAGES).ladder
        onward = self.is_bound and bool(self.data.get("onward"))
        return (*ladder, Action.RESHARE) if onward else ladder

    @property
    def for_purpose(self) -> Purpose:
        """Treatment while nothing is chosen."""
        chosen = self.data.get("purpose") if self.is_bound else None
        return Purpose.OPERATIONS if chosen == Purpose.OPERATIONS else Purpose.TREATMENT

    @property
    def standing(self) -> bool:
        """Whether studies that come later are meant too."""
        chosen = self.data.get("what") if self.is_bound else self.initial.get("what")
        return chosen == ALL

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

    def suggest(self, ends: Sequence[datetime | None]) -> None:
        """The usual days, or less where the first of the consents ends before."""
        soonest = min((end for end in ends if end is not None), default=None)
        if soonest is not None:
            usual = self.fields["until"].initial
            self.fields["until"].initial = min(usual, timezone.localtime(soonest).date())

    def clean_until(self) -> datetime:
        """The end of that day, which must lie ahead."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError("The share must end in the future.")
        return end

    def keep_inside(self, latest: datetime | None) -> None:
        """An error beside `until` when it would outlive the consent that carries it.

        On the consent's own last day the share ends with it: people choose days, not minutes.
        """
        until = self.cleaned_data.get("until")
        if latest is None or until is None or until <= latest:
            return
        if timezone.localtime(until).date() == timezone.localtime(latest).date():
            self.cleaned_data["until"] = latest
        else:
            self.add_error("until", f"The consent ends {words.day(latest)}.")


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
