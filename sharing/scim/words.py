"""SCIM's words: resources as JSON, filters and patches as values (RFC 7643, RFC 7644)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ScimInvalid

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MOST = 200
Json = dict[str, Any]
_FILTER = re.compile(r'\s*([A-Za-z.]+)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*', re.IGNORECASE)
_MEMBER = re.compile(r'members\[value\s+eq\s+"([^"]+)"\]', re.IGNORECASE)


@dataclass(frozen=True)
class Filter:
    """`attribute eq value`: what directories ask before they create (RFC 7644 3.4.2.2)."""

    attribute: str
    value: str


def filter_of(text: str, allowed: frozenset[str]) -> Filter | None:
    """The filter of a query, None where there is none. Raises ScimInvalid for any other."""
    if not text:
        return None
    found = _FILTER.fullmatch(text)
    name = found[1].lower() if found else ""
    if found is None or name not in allowed:
        raise ScimInvalid("Only `attribute eq value` is offered here.", "invalidFilter")
    return Filter(name, found[2].strip('"').replace('\\"', '"'))


def user_json(post: Any, base: str, groups: list[str]) -> Json:
    """A post as a User; nothing of other organizations, and no last sign-in."""
    told: Json = {
        "schemas": [USER],
        "id": post.public_id,
        "userName": post.email,
        "displayName": post.name,
        "name": {"formatted": post.name},
        "emails": [{"value": post.email, "type": "work", "primary": True}],
        "active": post.state in {"active", "on_leave", "lapsed"},
        "groups": [{"value": group, "display": group} for group in groups],
        "meta": {
            "resourceType": "User",
            "location": f"{base}/Users/{post.public_id}",
            "lastModified": post.moved_at.isoformat(),
        },
    }
    return told | ({"externalId": post.external_id} if post.external_id else {})


def group_json(name: str, members: list[Any], base: str) -> Json:
    """A group that is a role here."""
    return {
        "schemas": [GROUP],
        "id": name,
        "displayName": name,
        "members": [{"value": p.public_id, "display": p.name} for p in members],
        "meta": {"resourceType": "Group", "location": f"{base}/Groups/{name}"},
    }


def list_json(resources: list[Json], total: int, start: int) -> Json:
    """A page of a list (RFC 7644 3.4.2.4)."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def said_of_user(body: Mapping[str, Any]) -> Json:
    """Of a User what we keep: userName, name, externalId, active."""
    name = body.get("name")
    formatted = name.get("formatted") if isinstance(name, Mapping) else None
    return {
        "email": _text(body.get("userName")),
        "name": _text(body.get("displayName") or formatted),
        "external_id": _text(body.get("externalId")),
        "active": _flag(body.get("active", True)),
    }


def patched_user(body: Mapping[str, Any]) -> Json:
    """What the operations of a PatchOp change, of what we keep; other attributes are let be."""
    found: Json = {}
    for operation, path, value in _operations(body):
        if operation not in {"replace", "add"}:
            raise ScimInvalid("Only replace and add are offered here.", "invalidPath")
        given = value if path == "" and isinstance(value, Mapping) else {path: value}
        for key, each in given.items():
            lowered = str(key).lower()
            if lowered == "active":
                found["active"] = _flag(each)
            elif lowered in {"displayname", "name.formatted"}:
                found["name"] = _text(each)
            elif lowered == "externalid":
                found["external_id"] = _text(each)
    return found


def patched_members(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """(add | remove | replace, ids of people) of a PatchOp on a Group."""
    for operation, path, value in _operations(body):
        one = _MEMBER.fullmatch(path)
        if one and operation == "remove":
            yield "remove", [one[1]]
        elif path.lower() == "members" or (path == "" and isinstance(value, Mapping)):
            listed = value.get("members", []) if isinstance(value, Mapping) else value
            yield operation, ids_of(listed)
        elif path.lower() not in {"displayname", "externalid"}:
            raise ScimInvalid("Only members are changed here.", "invalidPath")


def ids_of(members: Any) -> list[str]:
    """The ids that a list of members names."""
    if not isinstance(members, list):
        return []
    return [each["value"] for each in members if isinstance(each, Mapping) and "value" in each]


def _operations(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    listed, schemas = body.get("Operations"), body.get("schemas")
    if not isinstance(schemas, list) or PATCH not in schemas:
        raise ScimInvalid("A patch has operations.", "invalidSyntax")
    if not isinstance(listed, list) or not listed:
        raise ScimInvalid("A patch has operations.", "invalidSyntax")
    for each in listed[:MOST]:
        if not isinstance(each, Mapping):
            raise ScimInvalid("A patch has operations.", "invalidSyntax")
        yield str(each.get("op", "")).lower(), str(each.get("path") or ""), each.get("value")


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _flag(value: Any) -> bool:
    """Directories send booleans as words too."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ScimInvalid("`active` is true or false.", "invalidValue")
