"""The second fence: PostgreSQL itself hides rows from whoever has no tie, and from nobody at all.

The whole suite runs as the portal's role with these policies in force; and the property test holds
that in each actor's own scope the list still equals the decision.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import Error, connection, transaction
from django.test import Client

from portal import rowlevel
from portal.rowlevel.policies import OPEN, POLICIES
from sharing.access.models import Grant, Relationship
from sharing.access.rules import GlassReason
from sharing.access.services import Emergency, ask_access, break_glass, share
from sharing.archive.models import Study
from sharing.consent.models import Consent
from sharing.consent.services import revoke_consent
from sharing.identity.services import PatientName
from sharing.kernel import scope
from sharing.kernel.purposes import Purpose
from sharing.tenants.models import Region as RegionRow
from tests.archive.sending import send
from tests.cast import NOW, Region, make_organization, make_patient, make_study
from tests.committing import owning
from tests.sessions import sign_in

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no policies")
FENCED = sorted(POLICIES)
TOLD = ("access_accessrequest", "access_glass", "access_glasspatient", "access_review")
FILLED = {
    "identity_patient", "consent_consent", "consent_term", "consent_grantee", "consent_evidence",
    "access_share", "access_grant", "access_relationship", "access_tie", "archive_study",
    "archive_series", "archive_instance", "archive_listed", "archive_namekey", "archive_delivery",
    "archive_deliveryitem", *TOLD,
}  # fmt: skip


@pytest.fixture
def full(region: Region, real_data: Path) -> Region:
    """Riverside holds images of Pat; Hilltop was named, asked, and broke the glass."""
    send(region, real_data / "single/pydicom_CT_small.dcm")
    study = region.study()
    region.permit()
    ties = {"custodian": region.riverside, "patient": region.pat, "organization": region.hilltop}
    Relationship.objects.create(
        **ties, kind="consult", starts_at=NOW, ends_at=NOW + timedelta(days=1), recorded_by="Ada"
    )
    shared(region, study)
    ask_access(
        custodian=region.riverside, identifier="RV-1", birth_date=date(1958, 5, 3), reason="Asked.",
        by=region.ben.actor, at=NOW,
    )  # fmt: skip
    broken(region)
    return region


def shared(region: Region, study: Study) -> None:
    """Ada shares the study with Hilltop."""
    share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT, note="",
        until=NOW + timedelta(days=9), by=region.ada.actor, at=NOW,
    )  # fmt: skip


def broken(region: Region) -> None:
    """Ben breaks the glass for Pat."""
    pat = PatientName(region.pat.issuer, region.pat.identifier, region.pat.birth_date)
    emergency = Emergency(
        patient=pat, reason=GlassReason.LIFE, words="Road accident, GCS 9.", hours=1, attested=True,
        proven=True,
    )  # fmt: skip
    break_glass(emergency=emergency, by=region.ben.actor, at=NOW)


def seen(table: str) -> int:
    """How many rows raw SQL finds."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - of our own table
        (number,) = cursor.fetchone()
        return int(number)


def by_pk(model: type) -> set[int]:
    """The keys that a queryset without any fence finds."""
    return set(model._base_manager.values_list("pk", flat=True))  # type: ignore[attr-defined]


def test_each_table_has_a_policy_or_a_reason_for_none() -> None:
    """A new table: put it into POLICIES, or, with the reason, into OPEN."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    tables |= {"django_migrations", "access_tie"}
    assert tables - set(OPEN) == set(POLICIES)
    assert not set(OPEN) & set(POLICIES)
    assert all(OPEN.values())


@postgresql
def test_the_database_has_these_policies_and_forces_them(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, count(p.polname),
                      count(*) FILTER (WHERE p.polcmd IN ('r', '*'))
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               LEFT JOIN pg_policy p ON p.polrelid = c.oid
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') GROUP BY 1, 2, 3"""
        )
        found = {name: tuple(rest) for name, *rest in cursor.fetchall()}
    assert set(found) == set(POLICIES) | set(OPEN)
    unfenced = {name for name in POLICIES if found[name] != (True, True, 5, 2)}
    assert unfenced == set()


@postgresql
def test_nobody_sees_a_row_of_any_table_with_patients(full: Region) -> None:
    assert {table for table in FENCED if seen(table)} >= FILLED
    with scope.within(scope.NOBODY):
        assert {table: seen(table) for table in FENCED} == dict.fromkeys(FENCED, 0)


@postgresql
def test_cleos_hospital_has_no_tie_and_sees_nothing_by_raw_sql(full: Region) -> None:
    with scope.within(full.cleo.actor.scope):
        assert {table: seen(table) for table in FENCED} == dict.fromkeys(FENCED, 0)


@postgresql
def test_the_owner_of_the_tables_passes_no_more_than_others(full: Region) -> None:
    """FORCE: who owns a table is fenced too, unless a superuser."""
    with owning(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing waits for the commit
        cursor.execute("CREATE ROLE somebody")
        cursor.execute("GRANT ALL ON SCHEMA public TO somebody")
        cursor.execute("ALTER TABLE archive_study OWNER TO somebody")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO somebody")
        cursor.execute("SET ROLE somebody")
        assert seen("archive_study") > 0
        with scope.within(scope.NOBODY):
            assert seen("archive_study") == 0
        cursor.execute("SET ROLE NONE")


@postgresql
def test_ben_sees_of_pat_what_a_tie_opens_and_nothing_of_another_patient(full: Region) -> None:
    other = make_study(make_patient(full.riverside, "RV-2", name="Other^Patient"))
    tied = set(Study.objects.filter(patient=full.pat).values_list("pk", flat=True))
    with scope.within(full.ben.actor.scope):
        assert by_pk(Study) == tied
        assert other.pk not in by_pk(Study)
        assert by_pk(type(full.pat)) == {full.pat.pk}
        assert seen("consent_evidence") == 0


@postgresql
@pytest.mark.parametrize("ends", ["consent", "grant", "relationship"])
def test_a_tie_ends_with_the_last_that_made_it(region: Region, ends: str) -> None:
    study = region.study()
    ties = {"custodian": region.riverside, "patient": region.pat, "organization": region.hilltop}
    if ends == "relationship":
        tie = Relationship.objects.create(
            **ties, kind="consult", starts_at=NOW, ends_at=NOW + timedelta(1), recorded_by="Ada"
        )
        end: Callable[[], object] = tie.delete
    else:
        consent = region.permit()
        end = lambda: revoke_consent(consent=consent, by=region.mei.actor, why="Asked.", at=NOW)  # noqa: E731
    if ends == "grant":
        shared(region, study)
        end()
        end = lambda: Grant.objects.update(revoked_at=NOW)  # noqa: E731
    with scope.within(region.ben.actor.scope):
        assert by_pk(Study) == {study.pk}
    end()
    with scope.within(region.ben.actor.scope):
        assert by_pk(Study) == set()


@postgresql
def test_a_policy_of_the_region_opens_the_custodians_that_have_no_stricter_one(
    region: Region,
) -> None:
    study = region.study()
    RegionRow.objects.create(pk=1, implicit_policy="treating")
    with scope.within(region.cleo.actor.scope):
        assert by_pk(Study) == {study.pk}
    region.riverside.implicit_policy = "deny"
    region.riverside.save()
    with scope.within(region.cleo.actor.scope):
        assert by_pk(Study) == set()


def _grant(region: Region) -> Grant:
    share = region.extra["share"]
    return Grant.objects.create(
        share=share, custodian=region.riverside, patient=region.pat, study_uid="", purpose="TREAT",
        grantee_kind="organization", organization=region.hilltop, actions="|images|",
        starts_at=NOW, ends_at=NOW + timedelta(days=1), review_by=NOW,
    )  # fmt: skip


def _move(region: Region) -> int:
    return Study.objects.filter(pk=region.extra["own"]).update(organization=region.riverside)


@postgresql
@pytest.mark.parametrize("write", [lambda region: make_study(region.pat), _grant, _move])
def test_hilltop_makes_and_moves_nothing_in_riversides_custody(
    full: Region, write: Callable[[Region], object]
) -> None:
    patient = make_patient(full.hilltop, "HT-1", name="Hill^Top")
    full.extra["own"] = make_study(patient).pk
    full.extra["share"] = Grant.objects.get().share
    with (
        scope.within(full.ben.actor.scope),
        pytest.raises(Error, match="row-level security"),
        transaction.atomic(),
    ):
        write(full)


@postgresql
def test_hilltop_changes_and_deletes_nothing_that_it_may_see(full: Region) -> None:
    with scope.within(full.ben.actor.scope):
        assert by_pk(Study)
        assert Study.objects.update(labels="|x|") == 0
        assert Consent.objects.update(ended_why="x") == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM archive_series")
            assert cursor.rowcount == 0
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO access_tie VALUES (1, '*')")


@postgresql
def test_the_portals_role_owns_nothing_and_passes_nothing(db: None) -> None:
    assert f"-c role={settings.DATABASE_ROLE}" in connection.settings_dict["OPTIONS"]["options"]
    assert list(rowlevel.mistakes()) == []


@postgresql
def test_production_is_told_of_a_role_that_is_too_mighty_and_of_a_table_without(db: None) -> None:
    with owning(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE archive_study NO FORCE ROW LEVEL SECURITY")
        found = list(rowlevel.mistakes())
        cursor.execute("ALTER TABLE archive_study FORCE ROW LEVEL SECURITY")
    assert [text.split(" ")[0] for text in found] == ["DATABASE_URL", "DATABASE_URL", "Tables"]


@postgresql
def test_an_emergency_is_a_tie_of_its_organization_alone(region: Region) -> None:
    study = region.study()
    lakeside = make_organization("farside", "Farside Clinic")
    with scope.within(region.ben.actor.scope):
        broken(region)
        assert by_pk(Study) == {study.pk}
    for other in (region.cleo.actor.scope, scope.of(lakeside.pk, None)):
        with scope.within(other):
            assert by_pk(Study) == set()


def policies() -> set[tuple[str, str, int]]:
    """Table, name and key of each policy that stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT polrelid::regclass::text, polname, oid::int FROM pg_policy")
        return set(cursor.fetchall())


@postgresql
def test_policies_that_are_right_are_left_alone_and_what_is_missing_is_put_up(db: None) -> None:
    """Whoever reads meanwhile waits for none of them, and never finds a table without."""
    with owning():
        rowlevel.put_up(settings.DATABASE_ROLE)
        before = policies()
        with connection.cursor() as cursor:
            cursor.execute("DROP POLICY reads ON archive_series")
            cursor.execute("COMMENT ON POLICY house ON archive_study IS 'of another release'")
        rowlevel.put_up(settings.DATABASE_ROLE)
    changed = {table for table, _, _ in policies() ^ before}
    assert changed == {"archive_series", "archive_study"}
    assert {pair[:2] for pair in policies()} == {pair[:2] for pair in before}


@postgresql
def test_while_the_policies_are_down_readers_are_told_to_come_again(
    committing: None, region: Region
) -> None:
    """And not that there is nothing: 503, where the study would have been absent."""
    study = region.study()
    client = sign_in(Client(raise_request_exception=False), region.ada.user)
    path = f"/studies/{study.public_id}/"
    with owning():
        rowlevel.lower(settings.DATABASE_ROLE)
    try:
        answer = client.get(path)
    finally:
        with owning():
            rowlevel.put_up(settings.DATABASE_ROLE)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get(path).status_code == 200


@postgresql
def test_ties_are_made_anew_where_what_keeps_them_changed(
    full: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every patient, one transaction after another; and not where it is as before."""
    monkeypatch.setattr(rowlevel, "AT_ONCE", 1)
    with owning(), connection.cursor() as cursor:
        before = seen("access_tie")
        cursor.execute("DELETE FROM access_tie")
        rowlevel.put_up(settings.DATABASE_ROLE)
        assert seen("access_tie") == 0
        cursor.execute("COMMENT ON TABLE access_tie IS 'of another release'")
        rowlevel.put_up(settings.DATABASE_ROLE)
        assert seen("access_tie") == before > 0
