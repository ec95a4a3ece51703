"""The three proofs of a patient's phone. Nothing here says which of them was wrong."""

from datetime import date
from typing import Any

from django import forms

from sharing.consent.texts import newest

_NUMBER = {"inputmode": "numeric", "autocomplete": "off"}


class ProofForm(forms.Form):
    """The code of the picture, the birth date, the six digits from the desk."""

    token = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    year = forms.IntegerField(min_value=1850, max_value=2200, widget=forms.TextInput(_NUMBER))
    month = forms.IntegerField(min_value=1, max_value=12, widget=forms.TextInput(_NUMBER))
    day = forms.IntegerField(min_value=1, max_value=31, widget=forms.TextInput(_NUMBER))
    digits = forms.CharField(
        max_length=12,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, language: str, other: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = newest("phone_for" if other else "phone", language).parts
        for name, field in self.fields.items():
            field.label = words[name]
            field.widget.attrs |= {"class": "form-control form-control-lg"}
        order = ("year", "month", "day") if language.startswith("zh") else ("day", "month", "year")
        self.born = [self[name] for name in order]

    def proofs(self) -> dict[str, Any]:
        """As the consent desk takes them; a day that no calendar has is no day."""
        data = self.cleaned_data
        try:
            born = date(data["year"], data["month"], data["day"])
        except ValueError:
            born = None
        digits = "".join(each for each in data["digits"] if each.isdecimal())
        return {"token": data["token"], "born": born, "digits": digits}
