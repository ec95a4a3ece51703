"""A day as people here write it: `22 Feb 2027`, and never 2/22/27."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from sharing.web import words


class DayField(forms.DateField):
    """One day, typed as it is shown; ISO 8601 is understood too. `example` shows how."""

    def __init__(self, *, example: str = "22 Feb 2027", **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%d %b %Y", "%d %B %Y", "%d. %b %Y", "%Y-%m-%d"])
        kwargs.setdefault("error_messages", {}).setdefault(
            "invalid", f"Write the day as {example}."
        )
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"autocomplete": "off", "placeholder": example})
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A date in our writing; what was typed as it was typed."""
        return words.day(value) if isinstance(value, date) else value


def end_of(day: date) -> datetime:
    """The last second of that day in the portal's time zone: the day itself is included."""
    return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))


def start_of(day: date) -> datetime:
    """The first moment of that day in the portal's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))


def days_on(at: datetime, days: int) -> date:
    """The day that many days after today."""
    return timezone.localtime(at).date() + timedelta(days=days)


class EndingForm(forms.Form):
    """Of a form with `until` and the moment `at`: what is given ends, and inside its consent."""

    at: datetime
    too_early = "It must end in the future."

    def clean_until(self) -> datetime:
        """The end of that day, which must lie ahead."""
        end = end_of(self.cleaned_data["until"])
        if end <= self.at:
            raise forms.ValidationError(self.too_early)
        return end

    def keep_inside(self, latest: datetime | None) -> None:
        """An error beside `until` when it would outlive the consent that carries it.

        On the consent's own last day it ends with it: people choose days, not minutes.
        """
        until = self.cleaned_data.get("until")
        if latest is None or until is None or until <= latest:
            return
        if timezone.localtime(until).date() == timezone.localtime(latest).date():
            self.cleaned_data["until"] = latest
        else:
            self.add_error("until", f"The consent ends {words.day(latest)}.")
