"""A client as an administrator describes it."""

import json
from typing import Any

from django import forms

from sharing.kernel.purposes import Purpose
from sharing.partners.rules import SCOPES, is_known, smart
from sharing.partners.services import Wish

from .base import Form
from .joining import one_line

KINDS = (
    ("machine", "A machine: a PACS, a hospital system, a script"),
    ("app", "An app on a server, that people use"),
    ("public", "An app on a phone or in a browser, that can keep no secret"),
)
PROOFS = (
    ("secret", "By a secret, which you copy once"),
    ("keys", "By signing (SMART backend services): its public keys"),
    ("address", "By signing: the address where it publishes its keys"),
)
PURPOSES = ((Purpose.TREATMENT, "Treatment"), (Purpose.OPERATIONS, "Operations"))


class ClientForm(Form):
    """What it is, what it may ask for, and how it proves who it is."""

    name = forms.CharField(label="Name", max_length=80, validators=[one_line])
    kind = forms.ChoiceField(label="What it is", choices=KINDS, widget=forms.RadioSelect)
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        required=False,
        choices=[(scope, words) for scope, words in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    more = forms.CharField(
        label="SMART scopes",
        required=False,
        max_length=1000,
        help_text="With spaces between them, for example system/ImagingStudy.rs system/Patient.r",
    )
    purpose = forms.ChoiceField(
        label="A machine’s purpose", choices=PURPOSES, required=False, initial=Purpose.TREATMENT
    )
    proof = forms.ChoiceField(
        label="How it proves who it is", choices=PROOFS, initial="secret", widget=forms.RadioSelect
    )
    keys = forms.CharField(
        label="Public keys (JWKS)",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    keys_at = forms.CharField(label="Address of its keys", required=False, max_length=2000)
    redirects = forms.CharField(
        label="Where an app is led back to",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One address on each line: https, or http://127.0.0.1 for an app on a desktop.",
    )

    def clean_more(self) -> list[str]:
        """SMART scopes that there are."""
        asked: list[str] = self.cleaned_data["more"].split()
        if any(smart(scope) is None for scope in asked):
            raise forms.ValidationError("One of these is no SMART scope that this portal knows.")
        return asked

    def clean_keys(self) -> Any:
        """As JSON; None where nothing was given."""
        text = self.cleaned_data["keys"].strip()
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise forms.ValidationError("This is no JSON.") from None

    def clean(self) -> dict[str, Any]:
        """What fits together."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        app = data.get("kind") in ("app", "public")
        asked = [*data.get("scopes", ()), *data.get("more", ())]
        if not asked and not self.errors:
            self.add_error("scopes", "Choose at least one.")
        if not all(is_known(scope, person=app) for scope in asked):
            level = "user/" if app else "system/"
            self.add_error("more", f"SMART scopes of this kind of client begin with {level}.")
        return data

    @property
    def wish(self) -> Wish:
        """As the domain's value."""
        data = self.cleaned_data
        app = data["kind"] != "machine"
        return Wish(
            name=data["name"],
            scopes=(*data["scopes"], *data["more"]),
            app=app,
            public=data["kind"] == "public",
            redirects=tuple(data["redirects"].split()) if app else (),
            purpose=Purpose(data["purpose"] or Purpose.TREATMENT),
            jwks=data["keys"] if data["proof"] == "keys" else None,
            jwks_url=data["keys_at"] if data["proof"] == "address" else "",
        )
