"""How a person is told by e-mail: a way for each kind, and quiet hours."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms

from sharing.notify.rules import CHOOSABLE, Way

CLOCK: dict[str, Any] = {
    "input_formats": ["%H:%M"],
    "error_messages": {"invalid": "Write the time as 19:30."},
}


class WaysForm(forms.Form):
    """One choice for each kind."""

    def __init__(self, *args: Any, ways: Mapping[str, Way], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(way.value, way.words) for way in Way]
        kinds = {
            kind: forms.ChoiceField(label=label, choices=choices, initial=ways[kind].value)
            for kind, label in CHOOSABLE.items()
        }
        self.fields = kinds | self.fields

    def ways(self) -> dict[str, Way]:
        """What was chosen for each kind."""
        return {kind: Way(self.cleaned_data[kind]) for kind in CHOOSABLE}


class WishesForm(WaysForm):
    """The person's own: with two times, or neither."""

    begins = forms.TimeField(label="Nothing from", required=False, **CLOCK)
    ends = forms.TimeField(label="Until", required=False, **CLOCK)

    def __init__(
        self, *args: Any, ways: Mapping[str, Way], quiet: tuple[time, time] | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, ways=ways, **kwargs)
        for name, moment in zip(("begins", "ends"), quiet or (None, None), strict=True):
            self.fields[name].initial = moment
            self.fields[name].widget = forms.TextInput(attrs={"placeholder": "19:30"})

    def clean(self) -> dict[str, Any]:
        """The two times belong together, and differ."""
        said: dict[str, Any] = self.cleaned_data
        if {"begins", "ends"} <= set(said):
            if bool(said["begins"]) != bool(said["ends"]):
                self.add_error("ends", "Write both times, or neither.")
            elif said["begins"] and said["begins"] == said["ends"]:
                self.add_error("ends", "Write two different times.")
        return said

    def quiet(self) -> tuple[time, time] | None:
        """The quiet hours, where there are any."""
        begins, ends = self.cleaned_data["begins"], self.cleaned_data["ends"]
        return (begins, ends) if begins and ends else None
