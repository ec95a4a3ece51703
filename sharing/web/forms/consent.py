"""What the patient said, as the clerk fills it in; and ending it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet

from sharing.consent.rules import (
    Decision,
    Force,
    GranteeKind,
    Verification,
)
from sharing.consent.services import EVERYONE, Said, Whom
from sharing.consent.texts import LANGUAGES
from sharing.kernel.purposes import Action, Obligation, Purpose
from sharing.tenants.services import Role
from sharing.web.wording import LADDER, modality_word

from .agreed import PAPER_OR_SPOKEN, AgreedForm
from .joining import one_line
from .whom import by_organization

PURPOSES = (
    (Purpose.TREATMENT, "Treatment"),
    (Purpose.OPERATIONS, "Operations"),
    (Purpose.RESEARCH, "Research"),
    (Purpose.PATIENT_REQUEST, "The patient’s own request"),
)
RESEARCH_ONLY = "research"
REACHES = (  # how far a refusal goes: value, word, what it means
    (Force.ORDINARY.value, "Everything but emergencies", "An emergency passes, and is recorded"),
    (RESEARCH_ONLY, "Research only", "Treatment goes on as it was"),
    (Force.EXCLUSION.value, "One person, always", "Own staff and emergencies included"),
    (
        Force.OPT_OUT.value,
        "Everybody outside, always",
        "Emergencies included; here only who treats looks",
    ),
)
RUNGS = tuple((action.value, word) for action, word, *_ in LADDER)
_ORDINARY = Force.ORDINARY
_TREATING = (Role.PHYSICIAN, Role.RADIOLOGIST)
DENIED = frozenset(purpose for purpose in Purpose if purpose != Purpose.EMERGENCY)


CONDITIONS = (Obligation.WATERMARK, Obligation.NO_DOWNLOAD, Obligation.NOTIFY_PATIENT)
"""What a permit may oblige to, beside `unnamed` and a number of uses."""
WHOM = ("organizations", "named", "links", "treating", "researchers", "everyone", "person")
"""The fields of which one at least says to whom."""


class ConsentForm(AgreedForm):
    """One consent. `draft=True` is for the preview: how it was agreed may still be missing."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=[(Decision.PERMIT.value, "Permit"), (Decision.DENY.value, "Deny")],
        widget=forms.RadioSelect,
        initial=Decision.PERMIT.value,
    )
    modalities = forms.MultipleChoiceField(
        label="Only these kinds", required=False, widget=forms.CheckboxSelectMultiple
    )
    organizations: "forms.ModelMultipleChoiceField[Any]" = forms.ModelMultipleChoiceField(
        label="To whom",
        queryset=None,
        to_field_name="code",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    named = forms.BooleanField(required=False)
    links = forms.BooleanField(required=False)
    treating = forms.BooleanField(required=False)
    researchers = forms.BooleanField(required=False)
    everyone = forms.BooleanField(required=False)
    person = forms.ChoiceField(label="A person", required=False)
    studies = forms.MultipleChoiceField(
        label="Only these studies", required=False, widget=forms.CheckboxSelectMultiple
    )
    reach = forms.ChoiceField(
        label="How far",
        choices=[(value, word) for value, word, _ in REACHES],
        widget=forms.RadioSelect,
        initial=Force.ORDINARY.value,
        required=False,
    )
    may = forms.ChoiceField(
        label="May do",
        choices=RUNGS,
        widget=forms.RadioSelect,
        initial=Action.IMAGES.value,
        required=False,
    )
    purpose = forms.ChoiceField(label="Purpose", choices=PURPOSES, required=False)
    unnamed = forms.BooleanField(label="Only without the name", required=False)
    conditions = forms.MultipleChoiceField(
        label="On condition that",
        choices=[(each.value, each.words) for each in CONDITIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    maximum_uses = forms.IntegerField(
        label="How many times",
        min_value=1,
        max_value=999,
        required=False,
        help_text="Empty: as often as needed. One opening of a study, or one download, is one.",
    )
    verification = forms.ChoiceField(
        label="How it was agreed",
        choices=[
            (Verification.QR.value, "The patient’s phone"),
            *PAPER_OR_SPOKEN,
        ],
        widget=forms.RadioSelect,
        initial=Verification.PAPER.value,
    )
    language = forms.ChoiceField(
        label="The patient reads", choices=list(LANGUAGES.items()), required=False, initial="en"
    )
    second_name = forms.CharField(
        label="Second guardian, who must sign too",
        max_length=120,
        required=False,
        validators=[one_line],
        help_text="On a phone of their own. Nothing holds until both have signed.",
    )

    def __init__(
        self,
        *args: Any,
        organizations: QuerySet[Any],
        people: Sequence[Any],
        studies: Sequence[Any],
        at: datetime,
        draft: bool = False,
        **kwargs: Any,
    ) -> None:
        """`people` are memberships in the order of their organizations, `studies` newest first."""
        super().__init__(*args, **kwargs)
        self.at, self.draft = at, draft
        self.people = {row.user.public_id: row.user for row in people}
        self.known_studies = {study.public_id: study for study in studies}
        kinds = sorted({code for study in studies for code in study.modality_list})
        choices = {
            "modalities": [(code, modality_word(code)) for code in kinds],
            "studies": [(public_id, public_id) for public_id in self.known_studies],
            "person": by_organization(people, "Nobody by name"),
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        self.fields["organizations"].queryset = organizations  # type: ignore[attr-defined]

    @property
    def denies(self) -> bool:
        """Whether the decision chosen so far is to deny."""
        return bool(self["decision"].value() == Decision.DENY)

    def clean(self) -> dict[str, Any]:
        """What one field asks of another."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_whom(data)
        self.check_last_day()
        if not self.draft:
            self.check_agreement()
        return data

    def _check_whom(self, data: dict[str, Any]) -> None:
        if self._force == Force.EXCLUSION and not data.get("person"):
            self.add_error("person", "Choose who is kept away.")
        elif self._force == Force.ORDINARY and not any(data.get(each) for each in WHOM):
            self.add_error("organizations", "Choose to whom the consent speaks.")

    @property
    def by_phone(self) -> bool:
        """Whether the patient signs on their own phone."""
        return self.agreed_by(Verification.QR)

    @property
    def _force(self) -> Force:
        """How far a refusal goes; a permit has none but the ordinary."""
        reach = self.cleaned_data.get("reach")
        denies = self.cleaned_data.get("decision") == Decision.DENY
        return Force(reach) if denies and reach in (Force.EXCLUSION, Force.OPT_OUT) else _ORDINARY

    def said(self) -> Said:
        """What was filled in, as the consent desk takes it. A denial speaks of every action.

        How it was agreed may still be wrong or missing: a draft is foreseen before it is complete.
        """
        data, force = self.cleaned_data, self._force
        denies = data["decision"] == Decision.DENY
        may = Action.AI if denies else Action(data.get("may") or Action.IMAGES)
        return Said(
            decision=Decision(data["decision"]),
            force=force,
            starts_at=self.at,
            ends_at=self.end() if force == Force.ORDINARY else None,
            purposes=self._purposes(denies, force),
            actions=frozenset(may.ladder),
            **self._whom(denies, force),
            **(self._limits() if force == Force.ORDINARY else {}),
            obligations=self._obligations(denies),
            maximum_uses=None if denies else data.get("maximum_uses"),
            **self.agreed(),
            language=data.get("language") or "en",
        )

    def _purposes(self, denies: bool, force: Force) -> frozenset[Purpose]:
        if not denies:
            return frozenset({Purpose(self.cleaned_data.get("purpose") or Purpose.TREATMENT)})
        if self.cleaned_data.get("reach") == RESEARCH_ONLY:
            return frozenset({Purpose.RESEARCH})
        return DENIED if force == Force.ORDINARY else frozenset(Purpose)

    def _whom(self, denies: bool, force: Force) -> dict[str, Any]:
        data = self.cleaned_data
        person = self.people.get(data.get("person", ""))
        if force == Force.OPT_OUT:
            return {"others": (EVERYONE,)}
        if force == Force.EXCLUSION:
            return {"practitioners": (person,) if person else ()}
        roles = [*(_TREATING if data["treating"] else ())]
        roles += [Role.RESEARCHER] if data["researchers"] else []
        others = [Whom(GranteeKind.ROLE, role=role) for role in roles]
        if data["links"] and not denies:
            others.append(Whom(GranteeKind.LINK))
        everyone = [EVERYONE] if denies and data["everyone"] else []
        return {
            "organizations": tuple(data["organizations"]),
            "practitioners": (person,) if person else (),
            "named_by_custodian": data["named"] and not denies,
            "others": (*everyone, *others),
        }

    def _limits(self) -> dict[str, Any]:
        chosen = [self.known_studies[each] for each in self.cleaned_data["studies"]]
        return {
            "modalities": frozenset(self.cleaned_data["modalities"]),
            "studies": frozenset(study.study_uid for study in chosen),
        }

    def _obligations(self, denies: bool) -> frozenset[Obligation]:
        if denies:
            return frozenset()
        unnamed = {Obligation.DEIDENTIFY} if self.cleaned_data["unnamed"] else set()
        return frozenset({*unnamed, *map(Obligation, self.cleaned_data.get("conditions", ()))})


class RevokeForm(forms.Form):
    """Why a consent ends."""

    why = forms.CharField(
        label="Why",
        max_length=300,
        validators=[one_line],
        initial="The patient asked for it.",
        help_text="The access log keeps it. No medical details.",
    )
