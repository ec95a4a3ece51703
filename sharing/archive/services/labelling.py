"""Labels by rule: on what just came, on what settled, on what is there when a rule is made.

Each works inside its caller's transaction, with the studies locked, and only ever adds. Where no
rule is in force it costs one small query.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from django.db.models import Max, Min

from sharing.archive.models import Instance, Labelling, LabelRule, Study
from sharing.archive.models.stored import words_in
from sharing.archive.sensing import RuleFacts, Seen, age_on, column
from sharing.archive.sql import chunks, marks, rows
from sharing.audit.rules import SYSTEM, What
from sharing.audit.services import record_all
from sharing.kernel import scope
from sharing.kernel.bulk import update
from sharing.kernel.sensitivity import Label, known_labels
from sharing.tenants.models import Organization
from sharing.tenants.rules import ImplicitPolicy, OrganizationState

from .intake import New

LABELS_MOST = 120
_RULES = """
    SELECT id, label, words, modalities, regions, departments, under_age
    FROM archive_labelrule
    WHERE ended_at IS NULL AND (organization_id = %s OR organization_id IS NULL) ORDER BY id
"""
_STANDING = """
    SELECT study_uid, label FROM archive_labelling
    WHERE organization_id = %s AND lifted_at IS NULL AND study_uid IN ({})
"""
_DEPARTMENTS = ("00081040", "00321033")  # Institutional Department Name, Requesting Service


@dataclass(frozen=True)
class Labelled:
    """A study as the rules meet it: which one, what it shows, which labels it has."""

    key: int
    what: What
    seen: Seen
    labels: frozenset[str]


def rules_of(organization_id: int) -> tuple[RuleFacts, ...]:
    """The rules in force for what this organization holds: its own and the region's."""
    return tuple(_rule(*row) for row in rows(_RULES, [organization_id]))


@lru_cache(maxsize=1024)
def _rule(
    key: int, label: str, words: str, modalities: str, regions: str, departments: str, age: int
) -> RuleFacts:
    return RuleFacts(
        key=key,
        label=label,
        words=tuple(json.loads(words)),
        modalities=frozenset(json.loads(modalities)),
        regions=frozenset(json.loads(regions)),
        departments=tuple(json.loads(departments)),
        under_age=age,
    )


def restore(organization_id: int, studies: Mapping[str, int]) -> dict[str, str]:
    """Studies sent again after they were gone carry what stands of their labels: their columns.

    `studies`: the primary key of each by its UID.
    """
    standing: dict[str, set[str]] = defaultdict(set)
    for some in chunks(sorted(studies)):
        for uid, label in rows(_STANDING.format(marks(some)), [organization_id, *some]):
            standing[uid].add(label)
    made = {uid: column(known_labels(held), LABELS_MOST) for uid, held in standing.items()}
    update(Study, ("labels",), ((labels, studies[uid]) for uid, labels in made.items()))
    return made


def apply_rules(
    organization_id: int, studies: Iterable[Labelled], rules: Sequence[RuleFacts], at: datetime
) -> int:
    """Add the labels that these rules set on these locked studies; how many of them got one."""
    wanted: dict[str, dict[str, int]] = {}
    known = {study.what.study_uid: study for study in studies}
    for uid, study in known.items():
        fit = {
            rule.label: rule.key
            for rule in reversed(rules)
            if rule.label not in study.labels and rule.means(study.seen)
        }
        if fit:
            wanted[uid] = fit
    return _set(organization_id, known, wanted, at) if wanted else 0


def _set(
    organization_id: int,
    known: Mapping[str, Labelled],
    wanted: Mapping[str, Mapping[str, int]],
    at: datetime,
) -> int:
    """Rows, columns and events of what the rules want, without what a person lifted since."""
    made_by = LabelRule.objects.in_bulk({key for fit in wanted.values() for key in fit.values()})
    lifted = _lifted(organization_id, list(wanted))
    made = [
        _row(organization_id, uid, made_by[key], at)
        for uid, fit in wanted.items()
        for label, key in fit.items()
        if (uid, label) not in lifted or lifted[uid, label] < made_by[key].made_at
    ]
    Labelling.objects.bulk_create(made, batch_size=200)
    added: dict[str, set[str]] = defaultdict(set)
    for row in made:
        added[row.study_uid].add(row.label)
    update(Study, ("labels",), (_raised(known[uid], words) for uid, words in added.items()))
    record_all(
        who=SYSTEM,
        action="study.label",
        at=at,
        whats=[
            replace(known[row.study_uid].what, detail={"label": row.label, "by": "rule"})
            for row in made
        ],
    )
    return len(added)


def _raised(study: Labelled, more: Collection[str]) -> tuple[str, int]:
    return column(known_labels(study.labels | set(more)), LABELS_MOST), study.key


def _row(organization_id: int, uid: str, rule: LabelRule, at: datetime) -> Labelling:
    return Labelling(
        organization_id=organization_id,
        study_uid=uid,
        label=rule.label,
        rule=rule,
        set_by="A rule",
        set_at=at,
        reason=rule.reason,
    )


def _lifted(organization_id: int, uids: Sequence[str]) -> dict[tuple[str, str], datetime]:
    """When a person last lifted each label of these studies."""
    found: dict[tuple[str, str], datetime] = {}
    for some in chunks(uids):
        gone = Labelling.objects.on(organization_id, *some).exclude(lifted_at=None)
        last = gone.order_by().values("study_uid", "label").annotate(last=Max("lifted_at"))
        found |= {(row["study_uid"], row["label"]): row["last"] for row in last}
    return found


def label_stored(study_ids: Sequence[int], rules: Sequence[RuleFacts] | None, at: datetime) -> int:
    """Hold locked studies, as the database has them, against these rules, or all in force."""
    if rules is None and not LabelRule.objects.filter(ended_at=None).exists():
        return 0
    count = 0
    for organization_id, group in _by_custodian(study_ids).items():
        held = rules_of(organization_id) if rules is None else rules
        asked = any(rule.departments for rule in held)
        count += apply_rules(organization_id, met(group, departments=asked), held, at)
    return count


def _by_custodian(study_ids: Sequence[int]) -> dict[int, list[Study]]:
    groups: dict[int, list[Study]] = defaultdict(list)
    for some in chunks(study_ids):
        for study in Study.objects.with_owners().filter(pk__in=some).order_by("study_uid"):
            groups[study.organization_id].append(study)
    return groups


def met(studies: Sequence[Study], *, departments: bool) -> list[Labelled]:
    """Stored studies as the rules meet them; `departments` are read only where a rule asks."""
    keys = [study.pk for study in studies]
    texts = texts_of(keys)
    where = _departments_of(keys) if departments else {}
    return [
        Labelled(
            key=study.pk,
            what=study.subject.what,
            seen=Seen(
                texts=frozenset({study.description, *texts[study.pk]}),
                modalities=frozenset(study.modality_list),
                regions=words_in(study.body_regions),
                departments=frozenset(where.get(study.pk, ())),
                age=age_on(study.patient.birth_date, study.study_date or study.received_at.date()),
            ),
            labels=words_in(study.labels),
        )
        for study in studies
    ]


def just_came(
    row: Any, group: Sequence[New], what: What, rules: Sequence[RuleFacts], texts: Iterable[str]
) -> Labelled:
    """What a delivery brought of one study: `row` is the study as it is now, locked, and `texts`
    are the descriptions of all its series, also of those that came before."""
    facts = group[0].facts
    asked = any(rule.departments for rule in rules)
    firsts = {new.series_uid: new for new in reversed(group)} if asked else {}
    seen = Seen(
        texts=frozenset({row.description, *texts}),
        modalities=words_in(row.modalities),
        regions=words_in(row.body_regions),
        departments=frozenset().union(*(departments_in(n.metadata) for n in firsts.values())),
        age=age_on(facts.patient_birth_date, facts.study_date),
    )
    return Labelled(row.pk, replace(what, detail={}), seen, words_in(row.labels))


def texts_of(study_ids: Sequence[int]) -> dict[int, set[str]]:
    """The descriptions of these studies' series."""
    texts: dict[int, set[str]] = defaultdict(set)
    for some in chunks(study_ids):
        for study_id, text in rows(_TEXTS.format(marks(some)), some):
            texts[study_id].add(text)
    return texts


_TEXTS = "SELECT study_id, description FROM archive_series WHERE study_id IN ({})"


def _departments_of(study_ids: Sequence[int]) -> dict[int, set[str]]:
    """Of the first instance of each series."""
    found: dict[int, set[str]] = defaultdict(set)
    firsts = (
        Instance.objects.filter(series__study__in=study_ids)
        .order_by()
        .values("series_id")
        .annotate(first=Min("pk"))
        .values_list("first", flat=True)
    )
    for some in chunks(list(firsts)):
        shown = Instance.objects.filter(pk__in=some).values_list("series__study_id", "metadata")
        for study_id, metadata in shown:
            found[study_id] |= departments_in(metadata)
    return found


def departments_in(metadata: bytes | memoryview) -> frozenset[str]:
    """What an instance's DICOM JSON, as its column keeps it, says of departments."""
    raw = zlib.decompress(metadata)
    if not any(b'"%s"' % tag.encode() in raw for tag in _DEPARTMENTS):
        return frozenset()
    whole: dict[str, Any] = orjson.loads(raw)
    values = (whole.get(tag, {}).get("Value", [""])[0] for tag in _DEPARTMENTS)
    return frozenset(str(value) for value in values if value)


@scope.as_house()  # a number over all organizations, for who sets the region's policy
def how_many_open(policy: ImplicitPolicy) -> tuple[int, int]:
    """How many studies such a policy of the region reaches, and how many labels keep closed.

    Without those of organizations that are stricter themselves.
    """
    wide = ["", *(each.value for each in policy.and_wider)]
    there = Organization.objects.filter(
        state=OrganizationState.ACTIVE, implicit_policy__in=wide
    ).values("pk")
    held = Study.objects.filter(organization__in=there)
    plain = held.filter(labels="|").count()
    return plain, held.count() - plain


def label_words(column_of_study: str) -> list[Label]:
    """The labels of a study's column, in the vocabulary's order."""
    return list(known_labels(words_in(column_of_study)))
