"""An organization's own sign-in, and finding it."""

from typing import Any

from django import forms

from sharing.kernel.errors import BadValue
from sharing.tenants.services import SignIn, mapping_of

from .base import Form
from .joining import one_line


class FindForm(Form):
    """Whose sign-in it is, is told by the domain."""

    email = forms.EmailField(label="Work e-mail")


class SignInForm(Form):
    """Where people sign in, and which groups are which roles."""

    issuer = forms.URLField(
        label="Issuer", max_length=300, assume_scheme="https",
        help_text="The address that stands in the tokens, without /.well-known.",
    )  # fmt: skip
    client_id = forms.CharField(label="Client ID", max_length=190, validators=[one_line])
    secret = forms.CharField(
        label="Client secret", max_length=300, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept sealed and never shown. Leave it empty to keep the present one.",
    )  # fmt: skip
    domains = forms.CharField(
        label="Domains of your addresses", max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One in a line. The operator confirms each before it leads anybody here.",
    )  # fmt: skip
    groups_in = forms.CharField(label="Claim with the groups", max_length=60, validators=[one_line])
    mapping = forms.CharField(
        label="Groups and roles", max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One in a line: <span class='mono'>pacs-readers = radiologist</span>. "
        "Who is in none of them does not come in.",
    )  # fmt: skip
    trusts_factor = forms.BooleanField(
        label="Our sign-in asks for a second factor and says so (amr)", required=False
    )
    active = forms.BooleanField(label="People may sign in there", required=False)

    def __init__(self, *args: Any, fresh: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].required = fresh

    def clean_mapping(self) -> dict[str, str]:
        """As the domain's roles."""
        try:
            return mapping_of(self.cleaned_data["mapping"])
        except BadValue as error:
            raise forms.ValidationError(str(error)) from None

    def said(self) -> SignIn:
        """For the service."""
        data = self.cleaned_data | {"domains": self.cleaned_data["domains"].split()}
        return SignIn(**data)
