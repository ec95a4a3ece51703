"""Inviting a person, and beginning as one."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from sharing.tenants.services import Role

from .base import Form
from .joining import one_line

ROLES = (  # role, what it may do, in words
    (Role.RADIOLOGIST, "Views the organization's studies and shares them inside consents"),
    (Role.PHYSICIAN, "Treats patients: views what they may see, and shares"),
    (Role.TECHNOLOGIST, "Views and uploads studies"),
    (Role.CLERK, "Uploads studies and records consents"),
    (Role.RESEARCHER, "Sees what patients permitted for research"),
    (Role.AUDITOR, "Reads the access log and changes nothing; sees no images"),
    (Role.PRIVACY_OFFICER, "Reads the access log, reviews emergencies; sees no images"),
    (Role.ADMINISTRATOR, "Invites people and sets roles; sees no images"),
)


class InviteForm(Form):
    """Whom to invite, as what."""

    name = forms.CharField(label="Name", max_length=120, validators=[one_line])
    email = forms.EmailField(label="Work e-mail")
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=[(role.value, role.words) for role, _ in ROLES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one role."},
    )

    def clean_roles(self) -> list[Role]:
        """As the domain's roles."""
        return [Role(role) for role in self.cleaned_data["roles"]]


class LicenceForm(Form):
    """Under which licence a person works."""

    number = forms.CharField(label="Licence number", max_length=64, validators=[one_line])
    authority = forms.CharField(label="Given by", max_length=120, validators=[one_line])


class WelcomeForm(Form):
    """A new person's name and password."""

    name = forms.CharField(label="Your name", max_length=120, validators=[one_line])
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="12 characters or more; a sentence is easier to keep than signs.",
    )
    again = forms.CharField(
        label="Password, once more",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Both the same, and strong enough for this person."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        password = data.get("password")
        if not password:
            return data
        if data.get("again") and password != data["again"]:
            self.add_error("again", "The two passwords differ.")
        try:
            person = get_user_model()(email=self.email, name=data.get("name", ""))
            validate_password(password, person)
        except ValidationError as error:
            self.add_error("password", error)
        return data
