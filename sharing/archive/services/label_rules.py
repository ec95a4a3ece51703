"""The rules for labels: making one, ending one, what one would label, and labelling old studies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from sharing.archive.errors import LabelInvalid, LabelRuleNotFound
from sharing.archive.models import LabelRule, Study
from sharing.archive.sensing import MOST_WORDS, RuleFacts, plain
from sharing.audit.rules import What
from sharing.audit.services import record
from sharing.dicom.regions import BodyRegion
from sharing.kernel import scope
from sharing.kernel.sensitivity import Label
from sharing.outbox.services import promise
from sharing.tenants.rules import Actor, Duty
from sharing.tenants.services import require

from .labelling import label_stored, met

AT_ONCE = 500
PREVIEWED = 20_000
"""So many of the newest studies a preview looks at."""


@dataclass(frozen=True)
class Wanted:
    """What a rule is to say."""

    label: Label
    reason: str
    words: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    regions: tuple[BodyRegion, ...] = ()
    departments: tuple[str, ...] = ()
    under_age: int | None = None

    @property
    def facts(self) -> RuleFacts:
        """The same for the comparison."""
        return RuleFacts(
            key=0,
            label=self.label,
            words=self.words,
            modalities=frozenset(self.modalities),
            regions=frozenset(self.regions),
            departments=self.departments,
            under_age=self.under_age,
        )


@dataclass(frozen=True)
class Foreseen:
    """What a rule would label of the own studies: how many, of how many looked at; some of them."""

    count: int
    looked_at: int
    more: bool
    some: tuple[Study, ...]


def label_rules(actor: Actor) -> QuerySet[LabelRule]:
    """The own organization's rules and the region's, in force first. Raises NotAllowed."""
    require(actor, Duty.RULE_LABELS)
    mine = Q(organization_id=_place(actor)) | Q(organization_id=None)
    found = LabelRule.objects.filter(mine).select_related("organization")
    counted = Count("set", filter=Q(set__organization_id=actor.organization_id))
    return found.annotate(labelled=counted).order_by("ended_at", "-made_at", "-pk")


def may_change(actor: Actor, rule: LabelRule) -> bool:
    """Whether the rule is the actor's to end: the region's are its operator's."""
    return actor.may(Duty.RULE_LABELS) and rule.organization_id == _place(actor)


def _place(actor: Actor) -> int | None:
    """Whose rules the actor makes; None: the region's."""
    return None if actor.may(Duty.SET_REGION) else actor.organization_id


@transaction.atomic
def make_rule(*, wanted: Wanted, by: Actor, at: datetime) -> LabelRule:
    """A rule of the own organization, or of the region; studies that are there follow as a job.

    Raises NotAllowed, LabelInvalid.
    """
    require(by, Duty.RULE_LABELS)
    _check(wanted)
    made = LabelRule.objects.create(
        organization_id=_place(by),
        label=wanted.label,
        words=list(wanted.words),
        modalities=sorted(wanted.modalities),
        regions=sorted(wanted.regions),
        departments=list(wanted.departments),
        under_age=wanted.under_age,
        reason=" ".join(wanted.reason.split()),
        made_by=by.name,
        made_at=at,
    )
    _record(by, "label_rule.make", made, at)
    promise("archive.apply_label_rule", at=at, rule_id=made.pk, after=0)
    return made


@transaction.atomic
def end_rule(*, public_id: str, by: Actor, at: datetime) -> LabelRule:
    """It labels nothing more; what it labelled stays labelled. Raises NotAllowed, and
    LabelRuleNotFound for one that has ended or is not the actor's."""
    require(by, Duty.RULE_LABELS)
    rows = LabelRule.objects.select_for_update().filter(ended_at=None, public_id=public_id)
    rule = rows.first()
    if rule is None or not may_change(by, rule):
        raise LabelRuleNotFound()
    rule.ended_at, rule.ended_by = at, by.name
    rule.save(update_fields=["ended_at", "ended_by"])
    _record(by, "label_rule.end", rule, at)
    return rule


@transaction.atomic
def apply_rule(*, rule_id: int, after: int, at: datetime) -> int:
    """Label a few of the studies that are there; how many. The rest is promised. Safe to repeat."""
    rule = LabelRule.objects.filter(pk=rule_id, ended_at=None).first()
    if rule is None:
        return 0
    held = Study.objects.filter(pk__gt=after)
    if rule.organization_id is not None:
        held = held.filter(organization_id=rule.organization_id)
    keys = list(held.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    locked = Study.objects.select_for_update().filter(pk__in=keys).order_by("study_uid")
    count = label_stored(list(locked.values_list("pk", flat=True)), [rule.facts], at)
    if len(keys) == AT_ONCE:
        promise("archive.apply_label_rule", at=at, rule_id=rule_id, after=keys[-1])
    return count


@scope.as_house()  # numbers only; a rule of the region means all organizations
def foresee_rule(actor: Actor, wanted: Wanted, *, at: datetime) -> Foreseen:
    """What the rule would label of the actor's own studies that has no such label yet.

    Of the region's rules the operator learns a number and no study. Raises NotAllowed,
    LabelInvalid.
    """
    require(actor, Duty.RULE_LABELS)
    _check(wanted)
    held = Study.objects.all()
    if not actor.may(Duty.SET_REGION):
        held = held.filter(organization_id=actor.organization_id)
    newest = held.exclude(labels__contains=f"|{wanted.label}|").order_by("-pk")
    keys = list(newest.values_list("pk", flat=True)[: PREVIEWED + 1])
    fit = list(_fitting(keys[:PREVIEWED], wanted.facts))
    some = Study.objects.visible_to(actor, at).with_owners().filter(pk__in=fit[:5])
    return Foreseen(
        count=len(fit),
        looked_at=min(len(keys), PREVIEWED),
        more=len(keys) > PREVIEWED,
        some=tuple(some.order_by("-pk")),
    )


def _fitting(keys: Sequence[int], rule: RuleFacts) -> Iterable[int]:
    for start in range(0, len(keys), AT_ONCE):
        studies = list(Study.objects.with_owners().filter(pk__in=keys[start : start + AT_ONCE]))
        for each in met(studies, departments=bool(rule.departments)):
            if rule.means(each.seen):
                yield each.key


def _check(wanted: Wanted) -> None:
    if not wanted.reason.strip() or len(wanted.reason) > 300:
        raise LabelInvalid("Say in a few words why.")
    if not wanted.facts.says_something:
        raise LabelInvalid("Say what the rule looks for.")
    for words in (wanted.words, wanted.departments):
        if len(words) > MOST_WORDS or any(len(word) > 60 for word in words):
            raise LabelInvalid("These are too many words for one rule.")
        if any(not plain(word) for word in words):
            raise LabelInvalid("A word has neither letters nor figures.")


def _record(by: Actor, action: str, rule: LabelRule, at: datetime) -> None:
    detail = {"rule": rule.public_id, "label": rule.label, "region": rule.organization_id is None}
    record(who=by.who, action=action, at=at, what=What(by.organization_code, detail=detail))
