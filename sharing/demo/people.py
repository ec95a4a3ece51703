"""The organizations of the demonstration region and the people in them.

They join as everybody does: an application, its verification, documents, terms, invitations. Only
the passwords are known from the start, and no second factor is asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sharing.audit.rules import SYSTEM
from sharing.tenants import terms
from sharing.tenants.services import (
    Actor,
    Application,
    Role,
    accept_documents,
    accept_invitation,
    activate,
    actor_for_session,
    apply,
    find_organization,
    found_operator,
    go_untested,
    invite,
    members,
    password_changed,
    require_second_factor,
    sign_terms,
    verify_application,
)

REGION = "Imaging Exchange"


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    email: str
    name: str
    role: Role
    organization: str
    shows: str


OPERATOR = Account(
    "nora@exchange.example", "Nora Lind", Role.OPERATOR, "operator",
    "approves organizations; one application waits",
)  # fmt: skip

_R, _H, _L, _M, _S = "riverside", "hilltop", "lakeside", "mingde", "sandbox"
ACCOUNTS = (
    Account("ines@riverside.example", "Ines Roth", Role.ADMINISTRATOR, _R, "invites people"),
    Account("ada@riverside.example", "Dr Ada Brandt", Role.RADIOLOGIST, _R, "reads and shares"),
    Account("mei@riverside.example", "Mei Tan", Role.CLERK, _R, "uploads, records consents"),
    Account("olga@riverside.example", "Olga Weiss", Role.PRIVACY_OFFICER, _R, "reads the log"),
    Account("tom@hilltop.example", "Tom Avery", Role.ADMINISTRATOR, _H, "invites people"),
    Account("ben@hilltop.example", "Dr Ben Hartley", Role.PHYSICIAN, _H, "sees what was shared"),
    Account("rita@hilltop.example", "Rita Sole", Role.RESEARCHER, _H, "takes copies without names"),
    Account("greta@lakeside.example", "Greta Holm", Role.ADMINISTRATOR, _L, "invites people"),
    Account("cleo@lakeside.example", "Dr Cleo Marsh", Role.PHYSICIAN, _L, "sees nothing of Pat"),
    Account("ruben@lakeside.example", "Ruben Ortiz", Role.CLERK, _L, "uploads, records consents"),
    Account("liufang@mingde.example", "LIU Fang 刘芳", Role.ADMINISTRATOR, _M, "invites people"),
    Account("zhangwei@mingde.example", "Dr ZHANG Wei 张伟", Role.PHYSICIAN, _M, "sees Lin's CT"),
    Account("sunyue@mingde.example", "SUN Yue 孙悦", Role.CLERK, _M, "uploads, records consents"),
    Account("pia@sandbox.example", "Pia Example", Role.ADMINISTRATOR, _S, "for partners to try"),
    Account("rob@sandbox.example", "Rob Example", Role.CLERK, _S, "uploads, records consents"),
    Account("eva@sandbox.example", "Dr Eva Example", Role.PHYSICIAN, _S, "reads and shares"),
)

APPLICATIONS = (
    Application(
        name="Riverside General Hospital", mark="RV", facility_identifier="DEMO-RV-001",
        country="IE", contact_name="Ines Roth", contact_email="ines@riverside.example",
        patient_id_issuer="RV", uid_root="2.25.101", ae_titles=["RIVERSIDE"],
        privacy_officer_name="Olga Weiss", privacy_officer_email="olga@riverside.example",
    ),
    Application(
        name="Hilltop Family Clinic", mark="HT", kind="clinic", facility_identifier="DEMO-HT-002",
        country="IE", contact_name="Tom Avery", contact_email="tom@hilltop.example",
        patient_id_issuer="HT", privacy_officer_name="Tom Avery",
        privacy_officer_email="tom@hilltop.example",
    ),
    Application(
        name="Lakeside Imaging Centre", mark="LS", kind="imaging_centre",
        facility_identifier="DEMO-LS-003", country="IE", contact_name="Greta Holm",
        contact_email="greta@lakeside.example", patient_id_issuer="LS", ae_titles=["LAKESIDE"],
        privacy_officer_name="Greta Holm", privacy_officer_email="greta@lakeside.example",
    ),
    Application(
        name="Mingde Hospital", native_name="明德医院", mark="MD",
        facility_identifier="DEMO-MD-004", country="CN", contact_name="LIU Fang 刘芳",
        contact_email="liufang@mingde.example", patient_id_issuer="MD", ae_titles=["MINGDE"],
        privacy_officer_name="LIU Fang 刘芳", privacy_officer_email="liufang@mingde.example",
    ),
    Application(
        name="Sandbox Test Systems", mark="SB", kind="clinic", facility_identifier="DEMO-SB-006",
        country="IE", contact_name="Pia Example", contact_email="pia@sandbox.example",
        patient_id_issuer="SB", uid_root="2.25.106", ae_titles=["SANDBOX"],
        privacy_officer_name="Pia Example", privacy_officer_email="pia@sandbox.example",
    ),
)  # fmt: skip

WAITING = Application(
    name="Northgate Eye Hospital", mark="NG", facility_identifier="DEMO-NG-005", country="IE",
    contact_name="Sam Field", contact_email="sam@northgate.example", patient_id_issuer="NG",
    privacy_officer_name="Sam Field", privacy_officer_email="sam@northgate.example",
)  # fmt: skip


@transaction.atomic
def found_region(*, password: str, at: datetime) -> None:
    """The operator, five organizations, their people, and one application that waits."""
    user = found_operator(
        name=REGION, email=OPERATOR.email, person=OPERATOR.name, password=password, at=at
    )
    # One slow hash for all: they have one password, and it is printed.
    secret_hash = user.password
    _without_second_factor("operator", at)
    operator = actor_for_session(user, {}, assured=True)
    if operator is None:
        raise RuntimeError("the operator may not act")
    for application in APPLICATIONS:
        _join(application, operator, secret_hash, at)
    for account in ACCOUNTS:
        if account.role != Role.ADMINISTRATOR:
            _invite(account, secret_hash, at)
    _, secret = apply(application=WAITING, at=at)
    verify_application(secret=secret, at=at)


def _join(application: Application, operator: Actor, secret_hash: str, at: datetime) -> None:
    _, secret = apply(application=application, at=at)
    organization = verify_application(secret=secret, at=at)
    administrator = accept_documents(organization=organization, by=operator, at=at)
    administrator.password = secret_hash
    administrator.save(update_fields=["password"])
    password_changed(user=administrator, at=at)
    own = actor_for_session(administrator, {}, assured=True)
    if own is None:
        raise RuntimeError("the administrator may not act")
    sign_terms(
        signed_by=administrator.name, function="Administrator", sha256=terms.SHA256, by=own, at=at
    )
    go_untested(organization=organization, why="A demonstration.", by=operator, at=at)
    activate(organization=organization, why="A demonstration.", by=operator, at=at)
    _without_second_factor(organization.code, at)


def _without_second_factor(code: str, at: datetime) -> None:
    # A stranger who tries the demonstration has no authenticator at hand.
    require_second_factor(organization=find_organization(code), required=False, by=SYSTEM, at=at)


def _invite(account: Account, secret_hash: str, at: datetime) -> None:
    administrator = actor(account.organization, Role.ADMINISTRATOR)
    secret = invite(
        email=account.email, name=account.name, roles=[account.role], by=administrator, at=at
    )
    user = accept_invitation(secret=secret, name=account.name, password=None, at=at)
    user.password = secret_hash
    user.save(update_fields=["password"])


def actor(code: str, role: Role) -> Actor:
    """Who holds that role at that organization, as they act after signing in."""
    organization = find_organization(code)
    member = members(organization.pk).filter(role=role).first()
    found = actor_for_session(member.user, {}, assured=True) if member else None
    if found is None:
        raise LookupError("nobody of the demonstration holds this role")
    return found


def is_ours() -> bool:
    """Whether the region that exists is the demonstration."""
    operator = find_organization("operator")
    return members(operator.pk).filter(user__email=OPERATOR.email).exists()


def accounts() -> Iterator[Account]:
    """Everybody who can sign in, the operator first."""
    yield OPERATOR
    yield from ACCOUNTS
