"""Albums: what one is called and gives, whom it is with, into which one studies are put."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from sharing.kernel.purposes import Action, Purpose

from .base import Form
from .days import DayField, EndingForm, days_on, end_of
from .joining import one_line
from .share import MAY
from .whom import WhomForm

USUAL_DAYS = 30
FOR = ((Purpose.TREATMENT.value, "Treatment"), (Purpose.OPERATIONS.value, "Operations"))


class AlbumForm(Form, EndingForm):
    """A new album: its name, what its members may do, until when."""

    too_early = "The album must end in the future."

    name = forms.CharField(
        label="Name",
        max_length=120,
        validators=[one_line],
        help_text="Members, and the reasons in the access log, show it: name no patient.",
    )
    note = forms.CharField(
        label="What it is for",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    may = forms.ChoiceField(
        label="Members may",
        choices=[(action.value, word) for action, word, _ in MAY],
        initial=Action.IMAGES.value,
        required=False,
    )
    purpose = forms.ChoiceField(
        label="Purpose", choices=FOR, initial=Purpose.TREATMENT.value, required=False
    )
    until = DayField(label="Until")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What members may do, from the weakest on; viewing images while nothing is chosen."""
        known = {action.value: action for action, _, _ in MAY}
        chosen = str(self.data.get("may")) if self.is_bound else ""
        return known.get(chosen, Action.IMAGES).ladder


class UntilForm(Form):
    """Until when an album goes on."""

    until = DayField(label="Until")

    def clean_until(self) -> datetime:
        """The end of that day."""
        return end_of(self.cleaned_data["until"])


class IntoForm(Form):
    """Into which album."""

    album: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Album",
        queryset=None,
        to_field_name="public_id",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose an album."},
    )

    def __init__(self, *args: Any, albums: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["album"].queryset = albums  # type: ignore[attr-defined]


class MemberForm(Form, WhomForm):
    """Whom to let in: an organization, or one person or department there."""

    to: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Where",
        queryset=None,
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose an organization."},
    )
    person = forms.ChoiceField(label="Who there", required=False)
