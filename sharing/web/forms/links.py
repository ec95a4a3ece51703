"""Links: what they open, to whom, when and how often; and the code of who has one."""

from datetime import datetime
from typing import Any

from django import forms

from sharing.exchange.rules import LEAST_CODE, MOST_USES, good_code
from sharing.kernel.purposes import Action, Purpose

from .days import DayField, EndingForm, days_on, start_of
from .joining import one_line

USUAL_DAYS, USUAL_USES = 14, 3
FOR = (
    (Purpose.TREATMENT, "A colleague who treats the patient", "outside the region"),
    (Purpose.PATIENT_REQUEST, "The patient", "or whom the patient hands it to"),
)
MAY = ((Action.IMAGES, "View images", ""), (Action.DOWNLOAD, "Download", "and view images"))


class LinkForm(EndingForm):
    """One link. What a consent must say for it is asked by the page."""

    too_early = "The link must end in the future."

    purpose = forms.ChoiceField(
        label="For whom",
        choices=[(purpose.value, word) for purpose, word, _ in FOR],
        initial=Purpose.TREATMENT.value,
        required=False,
    )
    may = forms.ChoiceField(
        label="May do",
        choices=[(action.value, word) for action, word, _ in MAY],
        initial=Action.IMAGES.value,
        required=False,
    )
    until = DayField(label="Until")
    not_before = DayField(
        label="Not before", required=False, help_text="Blank: it works from now on."
    )
    uses = forms.IntegerField(
        label="Uses",
        min_value=1,
        max_value=MOST_USES,
        initial=USUAL_USES,
        help_text="Each device that opens it counts once.",
    )
    code = forms.CharField(
        label="Your own code",
        max_length=32,
        required=False,
        validators=[one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Blank: we make one of eight letters and digits.",
    )
    note = forms.CharField(
        label="Message",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They read it beside the study.",
    )

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.fields["until"].initial = days_on(at, USUAL_DAYS)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What it lets do, from the weakest on; viewing while nothing is chosen."""
        chosen = self.data.get("may") if self.is_bound else None
        strongest = Action.DOWNLOAD if chosen == Action.DOWNLOAD else Action.IMAGES
        return strongest.ladder

    @property
    def for_purpose(self) -> Purpose:
        """Treatment while nothing is chosen."""
        chosen = self.data.get("purpose") if self.is_bound else None
        known = {purpose.value: purpose for purpose, *_ in FOR}
        return known.get(str(chosen), Purpose.TREATMENT)

    def clean_not_before(self) -> datetime | None:
        """The beginning of that day; one that has passed says nothing."""
        day = self.cleaned_data["not_before"]
        begins = start_of(day) if day else None
        return begins if begins is not None and begins > self.at else None

    def clean_code(self) -> str:
        """One's own code, not too easy."""
        code: str = self.cleaned_data["code"]
        if code and not good_code(code):
            raise forms.ValidationError(
                f"Write {LEAST_CODE} letters and digits or more, not all alike."
            )
        return code


class OpenForm(forms.Form):
    """The link, which a script takes out of the address, and the code that came another way."""

    link = forms.CharField(
        label="Link",
        max_length=400,
        error_messages={"required": "Open the link again, or paste it here."},
    )
    code = forms.CharField(
        label="Code", max_length=60, error_messages={"required": "Write the code."}
    )

    def clean_link(self) -> str:
        """The secret part, also of a whole address."""
        return str(self.cleaned_data["link"]).rpartition("#")[2].strip()
