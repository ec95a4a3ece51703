"""A directory makes, finds, changes and ends people of its own domain, and nobody else."""

import json
from typing import Any

import pytest
from django.test import Client

from sharing.partners.services import issue_token
from sharing.tenants import services
from sharing.tenants.models import Membership, Post, User
from sharing.tenants.rules import Role
from sharing.tenants.services import provisioning
from tests.cast import NOW, Region, make_organization, make_person
from tests.sessions import sign_in

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Directory:
    """Riverside's directory with its token."""

    def __init__(self, secret: str) -> None:
        self.client, self.secret = Client(), secret

    def asks(self, method: str, path: str, body: Any = None) -> Any:
        """One request."""
        return self.client.generic(
            method, f"/scim/v2/{path}", json.dumps(body) if body is not None else b"",
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {self.secret}"},
        )  # fmt: skip

    def patches(self, path: str, *operations: dict[str, Any]) -> Any:
        """A PatchOp."""
        return self.asks("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


@pytest.fixture
def directory(region: Region) -> Directory:
    """With a confirmed domain and a mapping of two groups."""
    has_a_domain(region)
    return Directory(token(region))


def has_a_domain(region: Region) -> None:
    """Riverside says where its people sign in, and Otto confirms that the domain is its own."""
    said = services.SignIn(
        issuer="https://sso.riverside.example", client_id="c", secret="s", groups_in="groups",
        mapping={"readers": "radiologist", "desk": "clerk"}, domains=["riverside.example"],
    )  # fmt: skip
    services.set_realm(said=said, by=region.admin.actor, at=NOW)
    operator = make_organization("operator", "Exchange", kind="operator")
    otto = make_person("Otto Lang", operator, Role.OPERATOR).actor
    waiting = services.domains_waiting(otto).get()
    services.confirm_domain(domain_id=waiting.pk, by=otto, at=NOW)


def token(region: Region, scope: str = "people.write", house: str = "riverside") -> str:
    """Of that organization's machine."""
    return issue_token(
        organization=getattr(region, house), name="Directory", scopes=[scope], at=NOW
    )


def made(directory: Directory, address: str = "nora@riverside.example") -> dict[str, Any]:
    """Nora, as the directory sends her."""
    said = {"userName": address, "name": {"formatted": "Nora Ek"}, "externalId": "e-1"}
    answer = directory.asks("POST", "Users", said)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_nora_is_made_found_put_into_a_group_ended_and_deleted(
    directory: Directory, region: Region
) -> None:
    """The whole life of a person as an identity provider drives it."""
    nora = made(directory)
    assert nora["active"]
    assert nora["groups"] == []
    assert directory.asks("POST", "Users", {"userName": nora["userName"]}).status_code == 409
    for asked in ('userName eq "NORA@riverside.example"', 'externalId eq "e-1"'):
        found = directory.asks("GET", f"Users?filter={asked}").json()
        assert [each["id"] for each in found["Resources"]] == [nora["id"]]
    user = User.objects.get(email="nora@riverside.example")
    assert not user.has_usable_password()
    assert services.acting_choices(user) == []
    member = {"op": "add", "path": "members", "value": [{"value": nora["id"]}]}
    group = directory.patches("Groups/readers", member).json()
    assert nora["id"] in {each["value"] for each in group["members"]}
    assert [c.roles for c in services.acting_choices(user)] == [frozenset({Role.RADIOLOGIST})]
    browser = sign_in(Client(), user)
    assert browser.get("/notices/").status_code == 200
    ended = directory.patches(
        f"Users/{nora['id']}", {"op": "Replace", "value": {"active": "False"}}
    )
    assert ended.json()["active"] is False
    assert browser.get("/notices/").status_code == 302
    assert services.acting_choices(user) == []
    again = directory.patches(
        f"Users/{nora['id']}", {"op": "replace", "path": "active", "value": True}
    )
    assert again.json()["active"] is True
    assert services.acting_choices(user) == []  # roles come by the groups, anew
    directory.patches(
        "Groups/desk", {"op": "add", "path": "members", "value": [{"value": nora["id"]}]}
    )
    gone = {"op": "remove", "path": f'members[value eq "{nora["id"]}"]'}
    directory.patches("Groups/desk", gone)
    assert services.acting_choices(user) == []
    put = directory.asks("PUT", f"Users/{nora['id']}", {"userName": "x", "displayName": "Nora E."})
    assert put.json()["displayName"] == "Nora E."
    assert directory.asks("DELETE", f"Users/{nora['id']}").status_code == 204
    assert directory.asks("GET", f"Users/{nora['id']}").status_code == 404
    assert Post.objects.get(public_id=nora["id"]).state == "deactivated"


def test_nobody_of_another_house_or_domain_is_touched(directory: Directory, region: Region) -> None:
    """Not by address, not by id, not by group; what is refused leaves nothing."""
    before = User.objects.count(), Membership.objects.filter(ended_at=None).count()
    ben = Post.objects.get(user=region.ben.user)
    assert directory.asks("POST", "Users", {"userName": "ben@hilltop.example"}).status_code == 400
    assert directory.asks("POST", "Users", {"userName": "eve"}).status_code == 400
    User.objects.filter(pk=region.ben.user.pk).update(email="ben@riverside.example")
    assert directory.asks("POST", "Users", {"userName": "ben@riverside.example"}).status_code == 409
    for method in ("GET", "DELETE", "PUT"):
        assert directory.asks(method, f"Users/{ben.public_id}", {}).status_code == 404
    member = {"op": "add", "path": "members", "value": [{"value": ben.public_id}]}
    assert directory.patches("Groups/readers", member).status_code == 404
    for name in ("administrator", "operator", "heads"):
        assert directory.asks("GET", f"Groups/{name}").status_code == 404
        assert directory.asks("POST", "Groups", {"displayName": name}).status_code == 400
    assert "hilltop" not in directory.asks("GET", "Users").content.decode()
    assert (User.objects.count(), Membership.objects.filter(ended_at=None).count()) == before


def test_whom_the_house_invited_from_elsewhere_no_directory_raises_or_ends(
    directory: Directory, region: Region
) -> None:
    """Vera reads here for a day a week, under an address of her own that Ines wrote to."""
    vera = make_person("Vera Holm", region.riverside, Role.CLERK)
    User.objects.filter(pk=vera.user.pk).update(email="vera@practice.example")
    post = Post.objects.get(user=vera.user)
    assert "vera" not in directory.asks("GET", "Users").content.decode()
    for method in ("GET", "DELETE", "PUT"):
        assert directory.asks(method, f"Users/{post.public_id}", {}).status_code == 404
    member = {"op": "add", "path": "members", "value": [{"value": post.public_id}]}
    assert directory.patches("Groups/readers", member).status_code == 404
    assert [c.roles for c in services.acting_choices(vera.user)] == [frozenset({Role.CLERK})]


@pytest.mark.parametrize("path", ["Users", "Groups", "Users/x"])
def test_only_a_machine_with_the_scope_of_that_house_gets_in(
    directory: Directory, region: Region, path: str
) -> None:
    """No other token, no cookie, no stranger."""
    assert Directory(token(region, "studies.read")).asks("GET", path).status_code == 404
    assert Directory("not a token").asks("GET", path).status_code == 401
    browser = sign_in(Client(), region.admin.user)
    assert browser.get(f"/scim/v2/{path}").status_code == 401
    other = Directory(token(region, house="hilltop"))
    ada = Post.objects.get(user=region.ada.user)
    assert other.asks("GET", f"Users/{ada.public_id}").status_code == 404
    assert not other.asks("GET", "Groups").json()["Resources"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", 'Users?filter=userName sw "a"', None),
        ("GET", 'Users?filter=password eq "a"', None),
        ("POST", "Users", []),
        ("PATCH", "Users/{}", {"Operations": []}),
        ("PATCH", "Users/{}", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "x"}]}),
        (
            "PATCH",
            "Users/{}",
            {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": 3}]},
        ),
        ("PATCH", "Groups/desk", {"schemas": [PATCH], "Operations": [{"op": "add", "path": "x"}]}),
    ],
)
def test_what_is_not_offered_is_said_in_scims_words(
    directory: Directory, method: str, path: str, body: Any
) -> None:
    """400 with a scimType, and nothing of what came is said back."""
    answer = directory.asks(method, path.format(made(directory)["id"]), body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/scim+json"
    assert answer.json()["scimType"].startswith("invalid")


def test_a_page_of_the_list_and_what_is_offered(directory: Directory) -> None:
    """Counted from 1 (RFC 7644 3.4.2.4)."""
    listed = directory.asks("GET", "Users?startIndex=2&count=2").json()
    assert (listed["totalResults"], listed["startIndex"], listed["itemsPerPage"]) == (4, 2, 2)
    assert directory.asks("GET", "Users?count=0").json()["Resources"] == []
    assert directory.asks("GET", "ServiceProviderConfig").json()["patch"]["supported"]
    assert provisioning.SCOPE == "people.write"
