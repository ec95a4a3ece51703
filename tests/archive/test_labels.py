"""Labels: set by rules and by people, never lowered by what is sent, each with its source."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sharing.archive.errors import (
    LabelInvalid,
    LabelNotFound,
    LabelRuleNotFound,
    StudyNotFound,
)
from sharing.archive.models import Labelling, LabelRule, Study
from sharing.archive.rules import SETTLE_AFTER, Why
from sharing.archive.sensing import RuleFacts, Seen, plain
from sharing.archive.services.label_rules import (
    Wanted,
    end_rule,
    foresee_rule,
    label_rules,
    make_rule,
)
from sharing.archive.services.labels import add_label, labels_of, lift_label
from sharing.archive.services.removing import delete_study
from sharing.archive.services.settling import settle_study
from sharing.audit.models import Event
from sharing.kernel.sensitivity import Label
from sharing.tenants.errors import NotAllowed
from tests.archive.keeping import files_of
from tests.archive.sending import dicom_files, send
from tests.cast import NOW, Region, make_patient
from tests.tenants.test_agreements import operator

LATER = NOW + timedelta(days=1)
Run = Callable[..., int]


def rule(region: Region, by: Any = None, at: Any = NOW, **said: Any) -> LabelRule:
    values = {"label": Label.HIV, "reason": "Clinic for infections"} | said
    return make_rule(wanted=Wanted(**values), by=by or region.olga.actor, at=at)


def labels(study: Study) -> str:
    """The column, which must be what stands in the rows."""
    study.refresh_from_db()
    rows = Labelling.objects.on(study.organization_id, study.study_uid).standing()
    assert set(rows.values_list("label", flat=True)) == set(study.labels.strip("|").split("|")) - {
        ""
    }
    return study.labels


@pytest.mark.parametrize(
    ("said", "shown", "fits"),
    [
        ({"words": ("hiv",)}, {"texts": frozenset({"Thorax bei HIV-Infektion"})}, True),
        ({"words": ("hiv",)}, {"texts": frozenset({"ARCHIVE COPY"})}, False),
        ({"words": ("psych*",)}, {"texts": frozenset({"Neuropsychiatrie"})}, False),
        ({"words": ("psych*",)}, {"texts": frozenset({"Konsil Psychiatrie"})}, True),
        ({"words": ("fertilite",)}, {"texts": frozenset({"BILAN FERTILITÉ"})}, True),
        ({"words": ("Straße",)}, {"texts": frozenset({"STRASSE"})}, True),
        ({"words": ("艾滋",)}, {"texts": frozenset({"胸部CT 艾滋病随访"})}, True),
        ({"words": ("艾滋",)}, {"texts": frozenset({"胸部CT"})}, False),
        ({"words": ("ＨＩＶ",)}, {"texts": frozenset({"hiv"})}, True),
        ({"modalities": frozenset({"US"})}, {"modalities": frozenset({"US", "SR"})}, True),
        ({"modalities": frozenset({"US"})}, {"modalities": frozenset({"CT"})}, False),
        ({"under_age": 18}, {"age": 17}, True),
        ({"under_age": 18}, {"age": 18}, False),
        ({"under_age": 18}, {"age": None}, False),
        ({"regions": frozenset({"PELVIS"}), "modalities": frozenset({"US"})},
         {"regions": frozenset({"PELVIS"}), "modalities": frozenset({"CT"})}, False),
        ({"departments": ("psychiatry",)}, {"departments": frozenset({"PSYCHIATRY II"})}, True),
        ({"departments": ("psychiatry",)}, {"texts": frozenset({"psychiatry"})}, False),
    ],
)  # fmt: skip
def test_a_rule_means_what_it_says(said: dict[str, Any], shown: dict[str, Any], fits: bool) -> None:
    assert RuleFacts(key=1, label="HIV", **said).means(Seen(**shown)) == fits


def test_words_are_compared_plainly() -> None:
    assert plain("  Fertilité, 2. ") == "fertilite 2"
    assert plain("ＡＢＣ-Straße") == "abc strasse"


def test_a_rule_labels_what_is_there_and_what_comes(
    region: Region, run_jobs: Run, own_store: None, real_data: Any
) -> None:
    old = region.study(description="Infectiology, HIV follow-up")
    other = region.study(description="Ankle")
    made = rule(region, words=("HIV",))
    run_jobs(LATER)
    assert (labels(old), labels(other)) == ("|HIV|", "|")
    rule(region, label=Label.PUBLIC_FIGURE, modalities=("MR",))
    send(region, *files_of(real_data))
    came = Study.objects.latest("pk")
    assert "MR" in came.modalities
    assert (labels(came), made.set.count()) == ("|CEL|", 1)
    told = Event.objects.filter(action="study.label").order_by("pk")
    assert [(e.study_uid, e.detail["label"]) for e in told] == [
        (old.study_uid, "HIV"),
        (came.study_uid, "CEL"),
    ]


def test_a_rule_on_what_only_the_whole_study_shows_is_kept_when_it_settles(region: Region) -> None:
    study = region.study(state="receiving", changed_at=NOW)
    study.series.update(description="Psychiatrie, Verlauf")
    rule(region, label=Label.PSYCHIATRY, words=("psychiatrie",), modalities=("CT",))
    assert settle_study(study_id=study.pk, at=NOW + SETTLE_AFTER)
    assert labels(study) == "|PSY|"


def test_children_are_those_who_were_young_at_the_study(region: Region, run_jobs: Run) -> None:
    child = make_patient(region.riverside, "RV-2", birth_date=date(2010, 1, 1))
    young = region.study(child, study_date=date(2020, 5, 5))
    grown = region.study(child, study_date=date(2028, 5, 5))
    rule(region, label=Label.YOUNG, under_age=18)
    run_jobs(LATER)
    assert (labels(young), labels(grown)) == ("|ADOL|", "|")


def test_sending_again_never_lowers_a_label(
    region: Region, own_store: None, real_data: Any
) -> None:
    files = list(files_of(real_data))
    send(region, *files[:2])
    study = Study.objects.get()
    add_label(
        region.mei.actor, public_id=study.public_id, label=Label.VIOLENCE, reason="Told", at=NOW
    )
    send(region, *files)
    settle_study(study_id=study.pk, at=NOW + SETTLE_AFTER)
    assert labels(study) == "|SDV|"
    delete_study(
        region.olga.actor, public_id=study.public_id, why=Why.OTHER, words="By mistake", at=NOW
    )
    assert not Study.objects.exists()
    send(region, *files, at=LATER)
    assert labels(Study.objects.get()) == "|SDV|"


def test_a_rule_labels_once_what_is_sent_again_after_it_was_gone(
    region: Region, own_store: None, real_data: Any
) -> None:
    rule(region, modalities=("MR",))
    send(region, *files_of(real_data))
    study = Study.objects.get()
    assert labels(study) == "|HIV|"
    olga = region.olga.actor
    delete_study(olga, public_id=study.public_id, why=Why.OTHER, words="By mistake", at=NOW)
    sent = send(region, *files_of(real_data), at=LATER)
    assert {item.outcome for item in sent.items.all()} == {"stored"}
    assert labels(Study.objects.get()) == "|HIV|"
    assert Labelling.objects.count() == 1


def test_a_rule_meets_what_came_before_in_the_same_study(
    region: Region, own_store: None, real_data: Any
) -> None:
    """Not only when it settles: seconds are enough to look."""
    files = sorted(dicom_files(real_data / "studies/mr_epi_multiseries"))
    first, last = files[0], files[-1]
    send(region, first)
    study = Study.objects.get()
    word = study.series.get().description
    rule(region, words=(word,), modalities=("MR",))
    study.series.update(description="Something else")
    study.series.create(series_uid="2.25.1", description=word, modality="MR")
    send(region, last)
    assert labels(study) == "|HIV|"


def test_what_a_person_lifts_no_rule_of_before_sets_again(region: Region, run_jobs: Run) -> None:
    study = region.study(description="HIV clinic")
    rule(region, words=("HIV",))
    run_jobs(LATER)
    (row,) = labels_of(study)
    said = {"public_id": study.public_id, "labelling_id": row.public_id, "at": LATER}
    for person in (region.ada, region.mei):
        with pytest.raises(NotAllowed):
            lift_label(person.actor, why="Wrong", **said)
    with pytest.raises(LabelInvalid):
        lift_label(region.olga.actor, why=" ", **said)
    lift_label(region.olga.actor, why="The name of a street", **said)
    with pytest.raises(LabelNotFound):
        lift_label(region.olga.actor, why="Twice", **said)
    assert labels(study) == "|"
    Study.objects.update(state="receiving")
    settle_study(study_id=study.pk, at=LATER + timedelta(hours=1))
    assert labels(study) == "|"
    rule(region, words=("HIV clinic",), at=LATER + timedelta(days=1))
    run_jobs(LATER + timedelta(days=2))
    assert labels(study) == "|HIV|"
    history = labels_of(study)
    assert [(each.set_by, each.lifted_by) for each in history] == [
        ("A rule", ""),
        ("A rule", "Olga Weiss"),
    ]


def test_a_person_labels_an_own_study_once_and_says_why(region: Region) -> None:
    study = region.study()
    said = {"public_id": study.public_id, "label": Label.TABOO, "at": NOW}
    add_label(region.ada.actor, reason="She does not know yet", **said)
    assert labels(study) == "|TBOO|"
    with pytest.raises(LabelInvalid):
        add_label(region.mei.actor, reason="Again", **said)
    with pytest.raises(LabelInvalid):
        add_label(region.mei.actor, reason="  ", **said | {"label": Label.HIV})
    with pytest.raises(NotAllowed):
        add_label(region.admin.actor, reason="No duty", **said | {"label": Label.HIV})
    region.permit()
    with pytest.raises(StudyNotFound):
        add_label(region.ben.actor, reason="Of another", **said | {"label": Label.HIV})
    event = Event.objects.get(action="study.label")
    assert (event.detail["by"], event.detail["label"]) == ("person", "TBOO")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE archive_study SET labels = '|'",
        "UPDATE archive_labelling SET label = 'ETH'",
        "UPDATE archive_labelling SET reason = 'Other'",
        "DELETE FROM archive_labelling",
    ],
)
def test_the_database_refuses_to_lower_or_rewrite(region: Region, statement: str) -> None:
    study = region.study()
    add_label(region.mei.actor, public_id=study.public_id, label=Label.HIV, reason="R", at=NOW)
    with (
        pytest.raises(DatabaseError, match="lifted by a person"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert labels(study) == "|HIV|"


def test_an_organization_s_rules_are_its_own_and_the_region_s_are_the_operator_s(
    region: Region, run_jobs: Run
) -> None:
    study = region.study(description="Drug clinic")
    theirs = make_patient(region.hilltop, "H-1")
    elsewhere = region.study(theirs, description="Drug clinic")
    own = rule(region, label=Label.SUBSTANCES, words=("drug clinic",))
    with pytest.raises(LabelRuleNotFound):
        end_rule(public_id=own.public_id, by=operator(region), at=NOW)
    with pytest.raises(NotAllowed):
        rule(region, by=region.ada.actor, words=("x",))
    run_jobs(LATER)
    assert (labels(study), labels(elsewhere)) == ("|ETH|", "|")
    common = rule(region, by=operator(region), label=Label.SUBSTANCES, words=("drug",), at=LATER)
    run_jobs(LATER)
    assert labels(elsewhere) == "|ETH|"
    assert set(label_rules(region.admin.actor)) == {own, common}
    with pytest.raises(LabelRuleNotFound):
        end_rule(public_id=common.public_id, by=region.olga.actor, at=LATER)
    end_rule(public_id=own.public_id, by=region.olga.actor, at=LATER)
    assert labels(study) == "|ETH|"
    told = Event.objects.filter(action__startswith="label_rule.").values_list("action", flat=True)
    assert sorted(told) == ["label_rule.end", "label_rule.make", "label_rule.make"]


def test_a_rule_that_says_nothing_is_refused(region: Region) -> None:
    for said in ({}, {"words": ("--",)}, {"words": ("x",) * 61}, {"words": ("x",), "reason": ""}):
        with pytest.raises(LabelInvalid):
            rule(region, **said)
    assert not LabelRule.objects.exists()


def test_a_preview_counts_what_a_rule_would_label(region: Region) -> None:
    fitting = region.study(description="HIV clinic")
    region.study(description="Ankle")
    region.study(make_patient(region.hilltop, "H-1"), description="HIV clinic")
    had = region.study(description="HIV, labelled already")
    add_label(region.mei.actor, public_id=had.public_id, label=Label.HIV, reason="R", at=NOW)
    wanted = Wanted(label=Label.HIV, reason="R", words=("hiv",))
    seen = foresee_rule(region.olga.actor, wanted, at=NOW)
    assert (seen.count, seen.looked_at, seen.some) == (1, 2, (fitting,))
    assert foresee_rule(operator(region), wanted, at=NOW).count == 2
    assert foresee_rule(operator(region), wanted, at=NOW).some == ()


def test_without_rules_receiving_asks_one_small_question_more(
    region: Region, own_store: None, real_data: Any
) -> None:
    files = list(files_of(real_data))
    send(region, *files[:1])
    with CaptureQueriesContext(connection) as asked:
        send(region, *files[1:2])
    about = [q["sql"] for q in asked if "archive_label" in q["sql"]]
    assert len(about) == 1
    assert "archive_labelrule" in about[0]
