"""Users, Groups and what the service offers. Each view is four moves."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from sharing.kernel.errors import Absent, BadValue, DomainError
from sharing.kernel.lifecycle import NotNow
from sharing.tenants.errors import NoActor, NotAllowed, Taken
from sharing.tenants.services import Actor, Role, provisioning

from . import words
from .errors import ScimInvalid

MEDIA = "application/scim+json"
LARGEST = 256 * 1024
STATUS: tuple[tuple[type[DomainError], int, str], ...] = (
    (Absent, 404, ""),
    (NotAllowed, 404, ""),  # what a machine may not do is, for it, not there
    (Taken, 409, "uniqueness"),
    (NotNow, 409, ""),
    (BadValue, 400, "invalidValue"),
)
ASKED_OF_USERS = frozenset({"username", "externalid", "id", "emails.value", "active"})
View = Callable[..., HttpResponse]


def door(view: View) -> View:
    """A token first; refusals in SCIM's own words (RFC 7644 3.12); no cookie speaks here."""

    @csrf_exempt
    @wraps(view)
    def inside(request: Any, **where: str) -> HttpResponse:
        actor: Actor | None = request.actor
        if actor is None or not request.by_token:
            raise NoActor()
        try:
            return view(request, actor, **where)
        except ScimInvalid as error:
            return _refused(400, str(error), error.kind)
        except DomainError as error:
            known = (row for row in STATUS if isinstance(error, row[0]))
            _, status, kind = next(known, (DomainError, 409, ""))
            return _refused(status, "Nothing found." if status == 404 else str(error), kind)

    return inside


@door
def users(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find by GET, create by POST."""
    if request.method == "POST":
        return _create(request, actor)
    if request.method != "GET":
        return _refused(405, "GET and POST are offered here.")
    asked = words.filter_of(request.GET.get("filter", ""), ASKED_OF_USERS)
    found = provisioning.people(actor)
    if asked is not None:
        found = _filtered(found, asked)
    start = max(_number(request, "startIndex", 1), 1)
    count = min(max(_number(request, "count", 100), 0), words.MOST)
    page = [_user(request, actor, post) for post in found[start - 1 : start - 1 + count]]
    return _answer(words.list_json(page, found.count(), start))


@door
def user(request: HttpRequest, actor: Actor, public_id: str) -> HttpResponse:
    """Read, replace, patch, delete."""
    post, at = provisioning.one_person(actor, public_id=public_id), timezone.now()
    if request.method == "DELETE":
        provisioning.forget_person(post=post, by=actor, at=at)
        return HttpResponse(status=204)
    if request.method in {"PUT", "PATCH"}:
        body = _body(request)
        said = words.said_of_user(body) if request.method == "PUT" else words.patched_user(body)
        _change(post, said, actor)
        post = provisioning.one_person(actor, public_id=public_id)
    elif request.method != "GET":
        return _refused(405, "GET, PUT, PATCH and DELETE are offered here.")
    return _answer(_user(request, actor, post))


@door
def groups(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The groups that the organization's mapping knows; POST of one of them takes its members."""
    mapped = provisioning.groups(actor)
    if request.method == "POST":
        body = _body(request)
        name = str(body.get("displayName", ""))
        if name not in mapped:
            raise ScimInvalid("No role is mapped to a group of this name.")
        _put_in(actor, mapped[name], words.ids_of(body.get("members")))
        return _answer(_group(request, actor, name, mapped[name]), status=201)
    if request.method != "GET":
        return _refused(405, "GET and POST are offered here.")
    asked = words.filter_of(request.GET.get("filter", ""), frozenset({"displayname", "id"}))
    names = [name for name in sorted(mapped) if asked is None or asked.value == name]
    found = [_group(request, actor, name, mapped[name]) for name in names]
    return _answer(words.list_json(found, len(found), 1))


@door
def group(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Read; patch or replace its members."""
    role = provisioning.groups(actor).get(name)
    if role is None:
        raise Absent()
    if request.method == "PATCH":
        for operation, ids in words.patched_members(_body(request)):
            _change_members(actor, role, operation, ids)
    elif request.method == "PUT":
        _change_members(actor, role, "replace", words.ids_of(_body(request).get("members")))
    elif request.method != "GET":
        return _refused(405, "GET, PUT and PATCH are offered here.")
    return _answer(_group(request, actor, name, role))


@door
def offered(request: HttpRequest, actor: Actor) -> HttpResponse:
    """ServiceProviderConfig (RFC 7643 5)."""
    no = {"supported": False}
    return _answer(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": True},
            "bulk": no | {"maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": True, "maxResults": words.MOST},
            "changePassword": no,
            "sort": no,
            "etag": no,
            "authenticationSchemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "Bearer token",
                    "description": f"A token of the organization with {provisioning.SCOPE}",
                }
            ],
        }
    )


def _create(request: HttpRequest, actor: Actor) -> HttpResponse:
    said = words.said_of_user(_body(request))
    post = provisioning.provision(**said, by=actor, at=timezone.now())
    return _answer(_user(request, actor, post), status=201)


def _change(post: Any, said: words.Json, actor: Actor) -> None:
    at = timezone.now()
    if {"name", "external_id"} & set(said):
        name, external = said.get("name"), said.get("external_id")
        provisioning.rename_person(post=post, name=name, external_id=external, by=actor, at=at)
    if "active" in said:
        provisioning.set_active(post=post, active=said["active"], by=actor, at=at)


def _change_members(actor: Actor, role: Role, operation: str, ids: list[str]) -> None:
    if operation == "replace":
        stay = set(ids)
        for post in provisioning.people_with(actor, role):
            if post.public_id not in stay:
                _set(actor, role, post, member=False)
    if operation in {"add", "replace"}:
        _put_in(actor, role, ids)
    elif operation == "remove":
        for public_id in ids:
            _set(actor, role, provisioning.one_person(actor, public_id=public_id), member=False)


def _put_in(actor: Actor, role: Role, ids: list[str]) -> None:
    for public_id in ids:
        _set(actor, role, provisioning.one_person(actor, public_id=public_id), member=True)


def _set(actor: Actor, role: Role, post: Any, *, member: bool) -> None:
    provisioning.set_in_group(post=post, role=role, member=member, by=actor, at=timezone.now())


def _filtered(found: Any, asked: words.Filter) -> Any:
    if asked.attribute == "active":
        return (
            found.filter(state__in=provisioning.LIVING)
            if asked.value.lower() == "true"
            else (found.exclude(state__in=provisioning.LIVING))
        )
    column = {"username": "email", "emails.value": "email", "externalid": "external_id"}
    name = column.get(asked.attribute, "public_id")
    value = asked.value.lower() if name == "email" else asked.value
    return found.filter(**{name: value})


def _user(request: HttpRequest, actor: Actor, post: Any) -> words.Json:
    held = {
        name
        for name, role in provisioning.groups(actor).items()
        if provisioning.people_with(actor, role).filter(pk=post.pk).exists()
    }
    return words.user_json(post, _base(request), sorted(held))


def _group(request: HttpRequest, actor: Actor, name: str, role: Role) -> words.Json:
    return words.group_json(name, list(provisioning.people_with(actor, role)), _base(request))


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/scim/v2")


def _body(request: HttpRequest) -> Any:
    if len(request.body) > LARGEST:
        raise ScimInvalid("The resource is too large.", "tooMany")
    try:
        said = json.loads(request.body)
    except ValueError:
        raise ScimInvalid("The body is not JSON.", "invalidSyntax") from None
    if not isinstance(said, dict) or b"\\u0000" in request.body:  # PostgreSQL fails on a NUL
        raise ScimInvalid("The body is not a resource.", "invalidSyntax")
    return said


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    said = request.GET.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 9 else otherwise


def _answer(told: words.Json, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(told), status=status, content_type=MEDIA)


def _refused(status: int, detail: str, kind: str = "") -> HttpResponse:
    told: words.Json = {"schemas": [words.ERROR], "status": str(status), "detail": detail}
    return _answer(told | ({"scimType": kind} if kind else {}), status)
