"""What holds in the whole region, and where an organization is stricter."""

from typing import Any

from django import forms

from sharing.tenants.rules import ImplicitPolicy, RegionSettings

from .base import Form

POLICIES = {  # what holds when nothing is on file -> its name, what it means
    ImplicitPolicy.DENY: ("Closed", "Only what a patient permitted can be seen elsewhere."),
    ImplicitPolicy.BREAK_GLASS: (
        "Emergencies only",
        "The same; staff are told to use emergency access when they can’t wait.",
    ),
    ImplicitPolicy.TREATING: (
        "Open to those who treat",
        "Those who treat may look, anywhere. What is labelled sensitive stays closed.",
    ),
    ImplicitPolicy.ALL_NORMAL: (
        "Open to all staff",
        "All staff in the region may look and download. What is labelled sensitive stays closed.",
    ),
}


class RegionForm(Form):
    """All settings of the region at once; `seen` says which ones were shown with their effect."""

    policy = forms.ChoiceField(
        label="Where no consent is on file", choices=[], widget=forms.RadioSelect
    )
    implied = forms.BooleanField(
        label="A referral, an open consult or a transfer opens the study that it names",
        required=False,
    )
    agreements = forms.BooleanField(
        label="Two organizations need a signed agreement before anything opens", required=False
    )
    majority = forms.IntegerField(label="Of age at", min_value=12, max_value=25)
    emergency_hours = forms.IntegerField(
        label="Emergency access lasts at most, hours", min_value=1, max_value=4
    )
    review_days = forms.IntegerField(
        label="Reviewed within, working days", min_value=1, max_value=30
    )
    emergencies_a_day = forms.IntegerField(
        label="A person may use it in a day, times", min_value=1, max_value=20
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    understood = forms.BooleanField(label="I know that this opens studies", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].choices = [  # type: ignore[attr-defined]
            (policy.value, name) for policy, (name, _) in POLICIES.items()
        ]

    @property
    def policies(self) -> list[tuple[str, str, str]]:
        """Value, name and meaning of each choice, for the page."""
        return [(policy.value, name, more) for policy, (name, more) in POLICIES.items()]

    @property
    def settings(self) -> RegionSettings:
        """What was filled in."""
        said = self.cleaned_data
        return RegionSettings(
            policy=ImplicitPolicy(said["policy"]),
            implied=said["implied"],
            agreements=said["agreements"],
            majority=said["majority"],
            emergency_hours=said["emergency_hours"],
            review_days=said["review_days"],
            emergencies_a_day=said["emergencies_a_day"],
        )


class PolicyForm(Form):
    """What holds at one organization: as the region says, or stricter."""

    policy = forms.ChoiceField(
        label="Where no consent is on file", required=False, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, common: ImplicitPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = list(POLICIES)
        self.offered = [("", "As the region says", f"Now: {POLICIES[common][0]}.")]
        for policy in order[: order.index(common)]:
            self.offered.append((policy.value, *POLICIES[policy]))
        self.fields["policy"].choices = [  # type: ignore[attr-defined]
            (value, name) for value, name, _ in self.offered
        ]

    @property
    def chosen(self) -> ImplicitPolicy | None:
        """The stricter policy; None: as the region says."""
        said = self.cleaned_data["policy"]
        return ImplicitPolicy(said) if said else None
