"""The public registration pages: what is typed is kept, and following a link changes nothing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from sharing.outbox.models import Job
from sharing.tenants import services
from sharing.tenants.models import Letter, Organization
from tests.cast import Person, Region, make_organization, make_person
from tests.sessions import sign_in
from tests.tenants.test_joining import application

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrf-token" content="[^"]*"')
TYPED = {
    "name": "Riverside General Hospital",
    "native_name": "河畔总医院",
    "kind": "hospital",
    "country": "DE",
    "facility_identifier": "H-2291-04",
    "contact_name": "Sam Ortiz",
    "contact_email": "sam@riverside.example",
    "contact_phone": "+00 555 0142",
    "privacy_officer_name": "Olga Keller",
    "privacy_officer_email": "olga@riverside.example",
    "patient_id_issuer": "1.2.826.0.1.99999.4",
    "uid_root": "1.2.826.0.1.99999.",
    "ae_titles": "RIVER_PACS, RIVER CT\nRIVER_PACS",
}


@pytest.fixture(autouse=True)
def _a_fresh_hour() -> None:
    """Registrations are counted per network and hour."""
    cache.clear()


@pytest.fixture
def olu() -> Person:
    """The region's operator."""
    office = make_organization("office", "Exchange Office", kind="operator")
    return make_person("Olu Park", office, services.Role.OPERATOR)


def newest_secret(kind: Letter.Kind) -> str:
    """The link of the newest letter of that kind."""
    return Letter.objects.filter(kind=kind).latest("pk").secret


def test_a_hospital_registers_on_the_public_page(client: Client) -> None:
    """Everything arrives as it was meant."""
    answer = client.post("/join/", TYPED)
    assert (answer.status_code, answer["Location"]) == (302, "/join/sent/")
    riverside = Organization.objects.get()
    assert riverside.native_name == "河畔总医院"
    assert riverside.uid_root == "1.2.826.0.1.99999"
    assert riverside.ae_titles == ["RIVER_PACS", "RIVER CT"]
    assert riverside.state == "applied"
    assert "link to the contact" in client.get("/join/sent/").content.decode()


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("name", "河畔总医院", "Latin letters"),
        ("name", "", "Fill this in."),
        ("name", "River\nBcc: x@y.example", "on one line"),
        ("country", "", "Choose one."),
        ("country", "XX", "XX is not one of the available choices"),
        ("kind", "operator", "not one of the available choices"),
        ("contact_email", "nonsense", "valid email"),
        ("privacy_officer_email", "", "Fill this in."),
        ("patient_id_issuer", "1.2..826", "looks like an OID"),
        ("patient_id_issuer", "1.02.826", "looks like an OID"),
        ("patient_id_issuer", "12345", "looks like an OID"),
        ("patient_id_issuer", "RV^1", "Leave out"),
        ("uid_root", "abc", "figures joined by single dots"),
        ("uid_root", "1.2.826." + "9" * 60, "at most 55"),
        ("ae_titles", "TOO_LONG_FOR_AN_AE", "1 to 16 plain characters"),
        ("ae_titles", "A\\B", "no backslash"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(
    client: Client, field: str, wrong: str, said: str
) -> None:
    """The error stands in the page, all other fields are still filled, nobody is registered."""
    answer = client.post("/join/", TYPED | {field: wrong})
    form = answer.context["form"]
    assert answer.status_code == 422
    assert set(form.errors) == {field}
    assert said in str(form.errors[field])
    page = answer.content.decode()
    assert f'id="id_{field}_error"' in page
    for name in set(TYPED) - {field, "kind", "country", "ae_titles"}:
        assert f'value="{TYPED[name]}"' in page
    assert not Organization.objects.exists()


def test_many_wrong_fields_are_summed_up_with_links(client: Client) -> None:
    """Each by its own name, so that two names and two addresses aren't mixed up."""
    page = client.post("/join/", {"name": "Riverside"}).content.decode()
    for name, label in (
        ("contact_email", "Contact’s work e-mail"),
        ("privacy_officer_email", "Privacy officer’s work e-mail"),
    ):
        assert re.search(rf'<a href="#[\w-]+{name}">{label}</a>', page)


def test_a_script_in_a_name_is_shown_as_text(client: Client) -> None:
    """On the way back, too."""
    page = client.post("/join/", TYPED | {"name": "<script>x", "country": ""}).content.decode()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_a_facility_that_is_registered_is_told_beside_the_field(client: Client) -> None:
    """And what was typed is kept."""
    client.post("/join/", TYPED)
    answer = client.post("/join/", TYPED | {"name": "Another name"})
    assert answer.status_code == 422
    assert "registered already" in str(answer.context["form"].errors["facility_identifier"])
    assert Organization.objects.count() == 1


def test_following_the_link_shows_a_button_and_changes_nothing(client: Client) -> None:
    """Mail scanners follow links; people press buttons."""
    client.post("/join/", TYPED)
    url = f"/join/verify/{newest_secret(Letter.Kind.VERIFY_APPLICATION)}/"
    for _ in range(2):
        page = client.get(url)
        assert "Confirm this address" in page.content.decode()
        assert "no-store" in page["Cache-Control"]
    assert Organization.objects.get().state == "applied"
    assert "Address confirmed" in client.post(url).content.decode()
    assert Organization.objects.get().state == "verified"
    assert client.get(url).status_code == client.post(url).status_code == 404


def test_a_network_that_registers_without_end_is_stopped(client: Client, settings: Any) -> None:
    """Nobody floods strangers' mailboxes through us; what was typed is kept."""
    settings.ACCOUNT_RATE_LIMITS = {"join": "2/h/ip"}
    for number in range(3):
        answer = client.post("/join/", TYPED | {"facility_identifier": f"H-{number}"})
    assert answer.status_code == 422
    assert "Try again in an hour" in answer.content.decode()
    assert Organization.objects.count() == 2


@pytest.mark.parametrize("door", ["join/verify", "join/answer", "welcome"])
def test_links_that_never_were_look_like_those_that_are_over(
    client: Client, region: Region, door: str
) -> None:
    """One page for both, so that trying teaches nothing."""
    at = timezone.now() - timedelta(days=30)
    kinds = {"join/verify": "verify", "join/answer": "answer", "welcome": "join"}
    old = Letter.objects.create(
        kind=kinds[door],
        organization=region.riverside,
        email="x@x.example",
        roles=["clerk"],
        sent_at=at,
        expires_at=at + timedelta(days=7),
    )
    answers = [client.get(f"/{door}/{secret}/") for secret in (old.secret, "never-was", "a:b")]
    assert {answer.status_code for answer in answers} == {404}
    pages = {TOKEN.sub("", answer.content.decode()) for answer in answers}
    assert len(pages) == 1


def test_the_applicant_answers_by_the_letters_link(client: Client, olu: Person) -> None:
    """An empty answer is asked for again; a second answer finds the link over."""
    _, secret = services.apply(application=application(), at=timezone.now())
    riverside = services.verify_application(secret=secret, at=timezone.now())
    services.ask(
        organization=riverside, question="Which <b>house?", by=olu.actor, at=timezone.now()
    )
    url = f"/join/answer/{newest_secret(Letter.Kind.ANSWER_QUESTION)}/"
    assert "Which &lt;b&gt;house?" in client.get(url).content.decode()
    assert client.post(url, {"answer": " "}).status_code == 422
    assert client.post(url, {"answer": "The main one."}).status_code == 200
    riverside.refresh_from_db()
    assert (riverside.state, riverside.answer) == ("verified", "The main one.")
    assert client.post(url, {"answer": "Another."}).status_code == 404


def test_the_operator_accepts_once(client: Client, olu: Person) -> None:
    """The second operator is told that it has moved on, and nothing is sent twice."""
    riverside = waiting()
    sign_in(client, olu.user)
    assert "1 waiting" in client.get("/operator/").content.decode()
    for _ in range(2):
        answer = client.post("/operator/riverside/", {"decision": "accept"}, follow=True)
        assert answer.status_code == 200
    assert "has moved on" in answer.content.decode()
    riverside.refresh_from_db()
    assert riverside.state == "checked"
    assert Job.objects.filter(task="notify.send_welcome").count() == 1


@pytest.mark.parametrize(
    ("decision", "words", "state"),
    [("ask", {"ask-question": "Which?"}, "asked"), ("refuse", {"refuse-reason": "No."}, "refused")],
)
def test_the_operator_asks_or_refuses_in_words(
    client: Client, olu: Person, decision: str, words: dict[str, str], state: str
) -> None:
    """Without words nothing happens; with them it is done."""
    riverside = waiting()
    sign_in(client, olu.user)
    wrong = client.post("/operator/riverside/", {"decision": decision})
    assert wrong.status_code == 422
    assert "Fill this in." in wrong.content.decode()
    client.post("/operator/riverside/", {"decision": decision} | words)
    riverside.refresh_from_db()
    assert riverside.state == state


def test_a_decision_that_is_none_is_a_bad_request(client: Client, olu: Person) -> None:
    """Not a crash, not a guess."""
    waiting()
    sign_in(client, olu.user)
    assert client.post("/operator/riverside/", {"decision": "adopt"}).status_code == 400


def test_an_application_offers_only_the_decisions_of_its_state(client: Client, olu: Person) -> None:
    """Before the address is confirmed there is nothing to decide."""
    services.apply(application=application(), at=timezone.now())
    sign_in(client, olu.user)
    page = client.get("/operator/riverside/").content.decode()
    assert "has not confirmed the address" in page
    assert 'name="decision"' not in page


@pytest.mark.parametrize("who", ["ada", "mei", "olga", "admin", "ben", "cleo"])
@pytest.mark.parametrize("url", ["/operator/", "/operator/riverside/", "/operator/nobody/"])
def test_the_operators_pages_are_not_there_for_others(
    client: Client, region: Region, who: str, url: str
) -> None:
    """The same 404, whether the application exists or not."""
    sign_in(client, getattr(region, who).user)
    assert client.get(url).status_code == 404
    assert client.post(url, {"decision": "accept"}).status_code in {404, 405}


def test_the_whole_way_from_the_form_to_the_welcome(
    client: Client, olu: Person, run_jobs: Callable[..., int]
) -> None:
    """Links are taken from the e-mails, as people do."""
    client.post("/join/", TYPED)
    run_jobs()
    client.post(path_in(mail.outbox[-1]))
    run_jobs()
    operator = sign_in(Client(), olu.user)
    operator.post(path_in(mail.outbox[-1]), {"decision": "accept"})
    run_jobs()
    assert mail.outbox[-1].to == ["sam@riverside.example"]
    assert path_in(mail.outbox[-1]) == "/accounts/login/"


def path_in(message: Any) -> str:
    """The path of the first link in an e-mail."""
    return "/" + str(message.body).split("http://testserver/", 1)[1].split()[0]


def waiting() -> Organization:
    """Riverside, with its address confirmed."""
    _, secret = services.apply(application=application(), at=timezone.now())
    return services.verify_application(secret=secret, at=timezone.now())
