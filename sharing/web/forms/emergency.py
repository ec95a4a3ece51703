"""Emergency access, and the verdict on it."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet

from sharing.access.rules import LEAST_WORDS, GlassReason, ReviewEvent

from .base import Form
from .days import DayField
from .joining import one_line

USUAL_HOURS = 2
HOURS = (1, 2, 4)


class GlassForm(Form):
    """Why, for how long, and that it is they; `where` offers who issued the identifier."""

    issuer: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        label="Whose identifier", queryset=None, to_field_name="code", empty_label="Choose"
    )
    identifier = forms.CharField(
        label="Patient’s identifier there", max_length=64, validators=[one_line]
    )
    birth_date = DayField(label="Born", example="2 Jun 1958")
    reason = forms.ChoiceField(
        label="Reason", widget=forms.RadioSelect, choices=[(r.value, r.words) for r in GlassReason]
    )
    words = forms.CharField(
        label="In your words",
        max_length=1000,
        min_length=LEAST_WORDS,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"The privacy officers and the patient may read this. {LEAST_WORDS} characters "
        "at least.",
        error_messages={"min_length": f"Say why, in at least {LEAST_WORDS} characters."},
    )
    hours = forms.TypedChoiceField(label="For how long", coerce=int, widget=forms.RadioSelect)
    attested = forms.BooleanField(
        label="I treat this patient now, and I need these images for it.",
        error_messages={"required": "Say that you treat this patient now."},
    )
    proof = forms.CharField(
        max_length=128, error_messages={"required": "Show that it is you."}, strip=False
    )

    def __init__(
        self,
        *args: Any,
        at: datetime,
        longest: int,
        where: QuerySet[Any] | None,
        by_code: bool,
        proven: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("initial", {"hours": min(USUAL_HOURS, longest)})
        super().__init__(*args, **kwargs)
        self.spans = [(hours, at + timedelta(hours=hours)) for hours in HOURS if hours <= longest]
        self.fields["hours"].choices = [(hours, hours) for hours, _ in self.spans]  # type: ignore[attr-defined]
        if where is None:
            for name in ("issuer", "identifier", "birth_date"):
                del self.fields[name]
        else:
            self.fields["issuer"].queryset = where  # type: ignore[attr-defined]
        if proven:
            del self.fields["proof"]
            return
        proof = self.fields["proof"]
        proof.label = "Code from your authenticator" if by_code else "Your password"
        kind = forms.TextInput if by_code else forms.PasswordInput
        completed = "one-time-code" if by_code else "current-password"
        proof.widget = kind(attrs={"autocomplete": completed})
        if by_code:
            proof.widget.attrs["inputmode"] = "numeric"

    @property
    def reasons(self) -> tuple[GlassReason, ...]:
        """All of them, with when each is meant."""
        return tuple(GlassReason)

    @property
    def chosen_hours(self) -> int:
        """For how long it is now, for the words of the button."""
        value = self["hours"].value()
        offered = {str(hours): hours for hours, _ in self.spans}
        return offered.get(str(value), self.spans[0][0])


VERDICTS = {
    ReviewEvent.JUSTIFY: "Justified",
    ReviewEvent.FAULT: "Unjustified",
    ReviewEvent.LEAVE_OPEN: "Inconclusive",
}


class ReviewForm(Form):
    """A privacy officer's verdict."""

    verdict = forms.ChoiceField(
        label="It was",
        widget=forms.RadioSelect,
        choices=[(e.value, w) for e, w in VERDICTS.items()],
    )
    remark = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the review.",
    )
