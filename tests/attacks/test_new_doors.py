"""New doors: REST beside the pages, kept answers, apps, webhooks, and acts that ask again."""

import io
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from portal import oidc, stepup
from sharing.access.services import share
from sharing.api import urls as api_urls
from sharing.audit.models import Event
from sharing.kernel.purposes import Purpose
from sharing.notify import delivering, hooks
from sharing.notify.models import Delivery
from sharing.partners.models import AccessToken, Client
from sharing.partners.rules import SCOPES
from sharing.partners.services import Wish, create_client, issue_token
from sharing.scim.errors import ScimInvalid
from sharing.scim.words import patched_user
from sharing.tenants import services as tenants
from sharing.tenants.errors import SignInRefused
from sharing.tenants.models import Membership, Organization
from sharing.tenants.realms import arrival_of
from sharing.tenants.rules import Role
from sharing.tenants.support import SupportEvent
from sharing.web.forms.organization import LogoForm
from tests.cast import NOW, Region, make_organization, make_person
from tests.faces.oauth.conftest import BACK, CHALLENGE
from tests.house.test_routes import routes
from tests.sessions import SLOW, sign_in

HOOKS, CLIENTS = "/api/v1/webhooks/", "/api/v1/clients/"
HOOK = {"url": "https://ris.example.org/hook", "kinds": ["consent.changed"], "names_studies": False}


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


def machine(region: Region, *scopes: str) -> dict[str, str]:
    """The header of a machine of Riverside's with these scopes."""
    secret = issue_token(
        organization=region.riverside, name="RIS", scopes=scopes, at=timezone.now()
    )
    return {"Authorization": f"Bearer {secret}"}


def post(browser: Browser, path: str, body: Any, **headers: str) -> Any:
    """As JSON."""
    return browser.post(path, json.dumps(body), content_type="application/json", headers=headers)


def proved_long_ago(browser: Browser) -> Browser:
    """The session of somebody who went away from it two hours ago."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 7200
    session.save()
    return browser


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.PRIVACY_OFFICER])
def test_who_finds_no_patients_on_pages_finds_none_by_rest(region: Region, role: Role) -> None:
    """The page of patients is for those whose work they are; so is the same list as JSON (A39)."""
    browser = sign_in(Browser(), make_person("Uwe Post", region.riverside, role).user)
    assert browser.get("/patients/").status_code == 404
    for path in ("/api/v1/patients/", f"/api/v1/patients/{region.pat.public_id}/"):
        answer = browser.get(path)
        assert answer.status_code == 404, path
        assert "Moreau" not in answer.content.decode()
    ada = sign_in(Browser(), region.ada.user)
    assert len(ada.get("/api/v1/patients/").json()["results"]) == 1


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/api/v1/patients/", "patients.read"),
        ("/api/v1/patients/{pat}/", "patients.read"),
        ("/api/v1/staff/", "staff.read"),
        ("/api/v1/audit/", "log.read"),
        ("/api/v1/jobs/", "jobs.read"),
    ],
)
def test_a_suspended_organizations_machine_reads_nothing(
    region: Region, path: str, scope: str
) -> None:
    """Hard gate 0: what it sends is kept, and nothing is told to it until it resumes."""
    held, path = machine(region, scope), path.format(pat=region.pat.public_id)
    assert Browser().get(path, headers=held).status_code == 200
    Organization.objects.filter(pk=region.riverside.pk).update(state="suspended")
    assert Browser().get(path, headers=held).status_code in {403, 404}


def test_a_kept_answer_is_told_to_nobody_who_may_not_ask_any_more(region: Region) -> None:
    """The same machine by a token without the scope; the same person without the role (A13)."""
    held = machine(region, "webhooks.write") | {"Idempotency-Key": "k-1"}
    secret = post(Browser(), HOOKS, HOOK, **held).json()["secret"]
    AccessToken.objects.update(scope="studies.read")
    answer = post(Browser(), HOOKS, HOOK, **held)
    assert answer.status_code == 403
    assert secret not in answer.content.decode()
    ines = sign_in(Browser(), region.admin.user)
    wish = {"name": "PACS", "scopes": ["dicomweb.read"]}
    secret = post(ines, CLIENTS, wish, **{"Idempotency-Key": "k-2"}).json()["secret"]
    boss = make_person("Bo Fox", region.riverside, Role.ADMINISTRATOR).actor
    tenants.add_member(
        organization=region.riverside,
        user=region.admin.user,
        role=Role.AUDITOR,
        by=boss.who,
        at=NOW,
    )
    Membership.objects.filter(user=region.admin.user, role=Role.ADMINISTRATOR).update(ended_at=NOW)
    answer = post(ines, CLIENTS, wish, **{"Idempotency-Key": "k-2"})
    assert answer.status_code == 404
    assert secret not in answer.content.decode()


def test_if_match_is_no_way_around_the_check_of_where_a_form_came_from(region: Region) -> None:
    """Asking first what is there now must not stand for the check of the write itself (A16)."""
    made = hooks.create_webhook(**HOOK, by=region.admin.actor, at=NOW).webhook
    ines = sign_in(Browser(enforce_csrf_checks=True), region.admin.user)
    path = f"{HOOKS}{made.public_id}/"
    for headers in ({}, {"If-Match": "*"}):
        assert ines.delete(path, headers=headers).status_code == 403, headers
    made.refresh_from_db()
    assert made.ended_at is None


@pytest.mark.parametrize(
    "path",
    [
        "/clients/new/", "/webhooks/new/", "/organization/profile/", "/organization/devices/",
        "/organization/departments/", "/organization/terms/",
    ],
)  # fmt: skip
def test_what_administers_asks_again_on_every_page(region: Region, path: str) -> None:
    """A secret of a machine outlives the session that made it."""
    ines = proved_long_ago(sign_in(Browser(), region.admin.user))
    answer = ines.post(path, {})
    assert answer.status_code == 302, path
    assert answer["Location"].startswith("/accounts/reauthenticate/"), path


def test_what_pages_ask_again_for_rest_asks_again_for(region: Region) -> None:
    """The same act by JSON with the same stale session is refused in words for scripts."""
    made = hooks.create_webhook(**HOOK, by=region.admin.actor, at=NOW).webhook
    wish = Wish(name="PACS", scopes=("dicomweb.read",))
    client = create_client(wish=wish, by=region.admin.actor, at=NOW).client
    ines = proved_long_ago(sign_in(Browser(), region.admin.user))
    olga = proved_long_ago(sign_in(Browser(), region.olga.user))
    hook, own = f"{HOOKS}{made.public_id}/", f"{CLIENTS}{client.client_id}/"
    tried = [
        post(ines, CLIENTS, {"name": "P", "scopes": ["dicomweb.read"]}),
        post(ines, f"{own}rotate/", {}),
        ines.delete(own),
        post(ines, HOOKS, HOOK),
        ines.patch(hook, '{"url": "https://evil.example/"}', content_type="application/json"),
        ines.delete(hook),
        post(ines, f"{hook}rotate/", {}),
        olga.get("/api/v1/audit/"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in tried] == [
        (403, "step_up_required")
    ] * len(tried)
    assert Client.objects.filter(ended_at=None).count() == 1
    assert ines.get(CLIENTS).status_code == ines.get(HOOKS).status_code == 200


def test_closing_an_organization_asks_again(region: Region) -> None:
    """Nothing is deleted by somebody who found a desk that was left."""
    ines = proved_long_ago(sign_in(Browser(), region.admin.user))
    answer = ines.post("/organization/close/", {"sure": "yes"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_somebody_let_in_to_look_lets_no_app_act(region: Region) -> None:
    """A support session ends by the clock: an app's token would come back with the next one."""
    operator = make_organization("operator", "Exchange", kind="operator")
    otto = make_person("Otto Lang", operator, Role.OPERATOR)
    wish = Wish(name="App", scopes=("studies.read",), app=True, public=True, redirects=(BACK,))
    app = create_client(wish=wish, by=region.admin.actor, at=NOW).client
    at = timezone.now()
    session = tenants.ask_support(
        organization=region.riverside,
        reason="A study does not open.",
        hours=1,
        by=otto.actor,
        at=at,
    )
    tenants.answer_support(
        public_id=session.public_id, event=SupportEvent.APPROVE, by=region.olga.actor, at=at
    )
    browser = sign_in(Browser(), otto.user)
    browser.post("/act-as/", {"acting": "riverside:HOPERAT"})
    asked = {
        "response_type": "code", "client_id": app.client_id, "redirect_uri": BACK,
        "scope": "studies.read", "state": "x", "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert browser.get("/oauth/authorize", asked).status_code == 400
    answer = browser.post("/oauth/authorize", asked | {"answer": "allow"})
    assert "code=" not in answer.get("Location", "")


def test_nothing_is_told_to_the_webhook_of_who_is_suspended_or_left(region: Region) -> None:
    """A consent that ends later is none of theirs (hard gate 0)."""
    consent = region.permit(at=timezone.now())
    hooks.create_webhook(**HOOK, by=region.admin.actor, at=timezone.now() - timedelta(minutes=1))
    delivering.read_log(at=timezone.now())
    told = Delivery.objects.count()
    assert told == 1
    for state in ("suspended", "offboarding", "closed"):
        Organization.objects.filter(pk=region.riverside.pk).update(state=state)
        Event.objects.create(
            at=timezone.now(), actor_kind="system", actor_name="x", action="consent.lapse",
            custodian="riverside", permitted=True, detail={"consent": consent.key},
        )  # fmt: skip
        delivering.read_log(at=timezone.now())
        assert Delivery.objects.count() == told, state


def test_each_route_that_asks_again_is_there() -> None:
    """A route that was renamed would ask for nothing any more."""
    known = {name for name, _ in routes()}
    assert {*stepup.LATELY, *stepup.WRITES} <= known


def test_a_sign_in_that_remembers_proves_nothing_anew(region: Region) -> None:
    """Else who finds a desk that was left goes around by the hospital's sign-in."""
    ines = at_a_desk_that_was_left(region)
    asked = ines.get("/people/invite/")
    assert asked.status_code == 302
    assert "prompt%3Dlogin%26max_age%3D0" in asked["Location"]
    session = ines.session
    session["house_proved_at"] = time.time() + SLOW
    session.save()
    assert ines.get("/people/invite/").status_code == 200


def at_a_desk_that_was_left(region: Region) -> Browser:
    """Signed in a moment ago by Riverside's sign-in, which remembered Ines and asked nothing."""
    said = tenants.SignIn(
        issuer="https://sso.riverside.example", client_id="c", secret="s" * 32, groups_in="groups",
        mapping={"heads": "administrator"}, domains=["riverside.example"],
    )  # fmt: skip
    tenants.set_realm(said=said, by=region.admin.actor, at=NOW)
    region.admin.user.set_unusable_password()
    region.admin.user.save()
    ines = sign_in(Browser(), region.admin.user, second_factor=False)
    session = ines.session
    session["account_authentication_methods"] = [
        {"method": "socialaccount", "provider": "riverside", "at": time.time()}
    ]
    session.save()
    return ines


def test_what_a_sign_in_says_is_believed_and_what_was_asked_of_it_is_not(rf: Any) -> None:
    """Whoever sits at a desk that was left can take the asking out of the address."""
    request, now = rf.get("/"), time.time()

    def proved(auth_time: float | None, asked: float | None) -> float:
        request.session = {} if asked is None else {"asked_anew": asked}
        claims = {} if auth_time is None else {"auth_time": int(auth_time)}
        return oidc._proved_at(request, arrival_of(claims, groups_in="groups"))

    assert proved(now - 5, now - 30) == int(now - 5)
    assert proved(now - 7200, None) == int(now - 7200)
    assert proved(None, None) == 0
    for silent in (None, now - 7200):
        with pytest.raises(SignInRefused):
            proved(silent, now - 30)


def test_who_finds_a_desk_that_was_left_adds_no_key_of_their_own(region: Region) -> None:
    """By the hospital's sign-in that remembers Ines, who has neither password nor factor here."""
    ines = at_a_desk_that_was_left(region)
    Organization.objects.filter(pk=region.riverside.pk).update(requires_second_factor=True)
    for route in ("mfa_add_webauthn", "mfa_activate_totp"):
        asked = ines.get(reverse(route))
        assert asked.status_code == 302
        assert "prompt%3Dlogin%26max_age%3D0" in asked["Location"]
        there = ines.get(asked["Location"])  # which is not to be reached from here
        assert there.status_code == 403
    Organization.objects.filter(pk=region.riverside.pk).update(requires_second_factor=False)
    assert "max_age%3D0" in ines.get(reverse("account_set_password"))["Location"]


@pytest.mark.parametrize("path", ["Practitioner", "Organization", "Patient", "ImagingStudy"])
def test_a_suspended_organizations_machine_reads_nothing_by_fhir(region: Region, path: str) -> None:
    """Nor who treats where in the region."""
    held = machine(region, "system/*.rs")
    assert Browser().get(f"/fhir/{path}", headers=held).status_code == 200
    Organization.objects.filter(pk=region.riverside.pk).update(state="suspended")
    assert Browser().get(f"/fhir/{path}", headers=held).status_code == 403


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/accounts/login/"])
@pytest.mark.django_db
def test_a_nul_in_a_form_is_refused_at_the_door(path: str) -> None:
    """PostgreSQL fails on one: 400 and never 500, for strangers too."""
    kind = "application/x-www-form-urlencoded"
    form = "client_id=a%00b&client_secret=x&token=y&grant_type=client_credentials&login=a%00b"
    assert Browser().post(path, form, content_type=kind).status_code == 400


def test_a_directory_that_sends_odd_things_is_told_so(region: Region) -> None:
    """SCIM's own 400, never 500."""
    held, kind = machine(region, "people.write"), "application/scim+json"
    body = json.dumps({"userName": "a\0b@riverside.example"})
    answer = Browser().post("/scim/v2/Users", body, content_type=kind, headers=held)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    with pytest.raises(ScimInvalid):
        patched_user({"schemas": 5, "Operations": [{"op": "replace"}]})


@pytest.mark.django_db
def test_each_scope_opens_a_door_of_its_own(region: Region) -> None:
    """What a person allowed by its words, and only that: to explain is not to read (A13)."""
    study = region.study()
    path = f"/api/v1/explain/?study={study.public_id}"
    assert Browser().get(path, headers=machine(region, "studies.read")).status_code == 403
    assert Browser().get(path, headers=machine(region, "explain.read")).status_code == 200
    abouts = {
        each.callback.view_class.about
        for each in api_urls.urlpatterns
        if hasattr(getattr(each.callback, "view_class", None), "about")
    }
    theirs = {"studies", "dicomweb", "uploads", "people", "shares"}
    assert {scope.partition(".")[0] for scope in SCOPES} <= abouts | theirs


def test_a_share_that_opens_nothing_can_t_be_asked_to_go_on(region: Region) -> None:
    """Ben would learn that it is still there, though its consent has ended."""
    at = timezone.now()
    study, consent = region.study(), region.permit(at=at)
    made = share(
        subjects=[study.subject], to=region.hilltop, purpose=Purpose.TREATMENT,
        until=at + timedelta(days=9), note="", by=region.ada.actor, at=at,
    )  # fmt: skip
    region.revoke(consent, at=at)
    ben = sign_in(Browser(), region.ben.user)
    gone = ben.post(f"/api/v1/shares/{made.public_id}/ask-renewal/")
    never = ben.post("/api/v1/shares/nothing-there/ask-renewal/")
    assert (gone.status_code, gone.content) == (never.status_code, never.content)
    assert ben.post(f"/shares/{made.public_id}/ask-renewal/").status_code == 404


def test_a_small_file_that_unfolds_to_a_huge_picture_is_no_logo() -> None:
    """Refused by what it says of itself, before it takes the memory of a page (A23)."""
    out = io.BytesIO()
    Image.new("1", (5000, 4000)).save(out, "PNG")
    assert len(out.getvalue()) < 64 * 1024
    form = LogoForm(None, {"picture": SimpleUploadedFile("logo.png", out.getvalue())})
    assert not form.is_valid()
