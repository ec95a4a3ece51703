"""What the portal says of itself to clients that have never been here (SMART App Launch 2.2)."""

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from sharing.partners.rules import is_known

HERE = "http://testserver"
PLACES = ("authorization", "token", "introspection", "revocation")


def test_the_fhir_face_says_where_tokens_come_from() -> None:
    told = Client().get("/fhir/.well-known/smart-configuration")
    said = told.json()
    assert (told.status_code, told["Content-Type"]) == (200, "application/json")
    assert said == Client().get("/.well-known/smart-configuration").json()
    assert set(said["grant_types_supported"]) >= {"authorization_code", "client_credentials"}
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-standalone", "client-confidential-asymmetric", "permission-v2"} <= set(
        said["capabilities"]
    )
    assert set(said["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    for place in PLACES:
        assert resolve(said[f"{place}_endpoint"].removeprefix(HERE))
    for scope in said["scopes_supported"]:
        assert is_known(scope, person=scope.startswith("user/"))


def test_an_issuer_is_named_to_oauth_and_not_to_smart() -> None:
    """SMART's would be OpenID Connect's, and no ID tokens are made here."""
    smart = Client().get("/fhir/.well-known/smart-configuration").json()
    server = Client().get("/.well-known/oauth-authorization-server").json()
    assert server["issuer"] == HERE
    assert "issuer" not in smart
    assert not any("openid" in each for each in smart["capabilities"])


def test_the_capability_statement_names_the_same_places() -> None:
    smart = Client().get("/fhir/.well-known/smart-configuration").json()
    security = Client().get("/fhir/metadata").json()["rest"][0]["security"]
    (oauth,) = security["extension"]
    assert oauth["url"].endswith("/StructureDefinition/oauth-uris")
    places = {each["url"]: each["valueUri"] for each in oauth["extension"]}
    assert places["authorize"] == smart["authorization_endpoint"]
    assert places["token"] == smart["token_endpoint"]
    assert places["introspect"] == smart["introspection_endpoint"]
    assert places["revoke"] == smart["revocation_endpoint"]
    with pytest.raises(Resolver404):
        resolve("/oauth/register")
