"""Machines of the region's operator: what they may carry leads to no patient."""

import pytest

from sharing.kernel.errors import BadValue, DomainError
from sharing.partners.errors import ClientInvalid
from sharing.partners.models import Client
from sharing.partners.rules import OFFICE_SCOPES, SCOPES
from sharing.partners.services import Wish, create_client, issue_token
from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from tests.cast import NOW, Region, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(region: Region) -> Organization:
    """The operator's own organization."""
    return make_organization("office", "Exchange Office", kind="operator")


@pytest.mark.parametrize("scope", [*SCOPES, "system/ImagingStudy.rs"])
def test_a_token_of_the_operator_leads_to_no_patient(office: Organization, scope: str) -> None:
    """A hospital's machine gets each; the operator's only what is about no patient."""
    if scope in OFFICE_SCOPES:
        assert issue_token(organization=office, name="W", scopes=[scope], at=NOW)
        return
    with pytest.raises(ClientInvalid, match="leads to patients"):
        issue_token(organization=office, name="W", scopes=["log.witness", scope], at=NOW)
    assert not Client.objects.exists()


def test_an_administrator_of_the_office_makes_no_such_client(
    office: Organization, region: Region
) -> None:
    """Nor by the pages' own verb; a hospital's administrator does."""
    olu = make_person("Olu Park", office, Role.ADMINISTRATOR)
    wish = Wish(name="Reader", scopes=("dicomweb.read",))
    with pytest.raises(DomainError):
        create_client(wish=wish, by=olu.actor, at=NOW)
    assert create_client(wish=wish, by=region.admin.actor, at=NOW).client
    with pytest.raises(BadValue):
        issue_token(organization=office, name="W", scopes=["nothing"], at=NOW)
