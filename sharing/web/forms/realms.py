"""An organization's own sign-in, and finding it."""

from typing import Any

from django import forms

from sharing.kernel.errors import BadValue
from sharing.tenants.services import SamlSignIn, SignIn, mapping_of

from .base import Form
from .joining import one_line


class FindForm(Form):
    """Whose sign-in it is, is told by the domain."""

    email = forms.EmailField(label="Work e-mail")


class MappedForm(Form):
    """What both protocols ask: whose addresses, and which groups are which roles."""

    domains = forms.CharField(
        label="Domains of your addresses", max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One in a line. The operator confirms each before it leads anybody here.",
    )  # fmt: skip
    mapping = forms.CharField(
        label="Groups and roles", max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One in a line: <span class='mono'>pacs-readers = radiologist</span>. "
        "Who is in none of them does not come in.",
    )  # fmt: skip
    active = forms.BooleanField(label="People may sign in there", required=False)

    def clean_mapping(self) -> dict[str, str]:
        """As the domain's roles."""
        try:
            return mapping_of(self.cleaned_data["mapping"])
        except BadValue as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def data_said(self) -> dict[str, Any]:
        """What was filled in, with the domains apart."""
        return self.cleaned_data | {"domains": self.cleaned_data["domains"].split()}


class SignInForm(MappedForm):
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
    groups_in = forms.CharField(label="Claim with the groups", max_length=60, validators=[one_line])
    trusts_factor = forms.BooleanField(
        label="Our sign-in asks for a second factor and says so (amr)", required=False
    )

    def __init__(self, *args: Any, fresh: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].required = fresh

    def said(self) -> SignIn:
        """For the service."""
        return SignIn(**self.data_said)


class SamlForm(MappedForm):
    """The same of a SAML identity provider, which describes itself."""

    metadata = forms.CharField(
        label="Metadata of your identity provider", max_length=200_000, required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Paste the XML. Leave it empty to keep what is known.",
    )  # fmt: skip
    email_in = forms.CharField(
        label="Attribute with the e-mail", max_length=190, validators=[one_line]
    )
    name_in = forms.CharField(
        label="Attribute with the name", max_length=190, required=False, validators=[one_line]
    )
    groups_in = forms.CharField(
        label="Attribute with the groups", max_length=190, validators=[one_line]
    )
    trusts_factor = forms.BooleanField(
        label="Our sign-in asks for a second factor and says so (REFEDS MFA)", required=False
    )

    def __init__(self, *args: Any, fresh: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metadata"].required = fresh

    def said(self) -> SamlSignIn:
        """For the service."""
        return SamlSignIn(**self.data_said)
