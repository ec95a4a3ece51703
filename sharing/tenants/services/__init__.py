"""Verbs of organizations and people, by theme: joining, people, acting, machines."""

from sharing.tenants.rules import Actor, Duty, Role

from .acting import (
    ActingChoice,
    acting_choices,
    actor_for_session,
    actor_for_token,
    require,
    user_needs,
)
from .directory import (
    find_organization,
    members,
    operators_mail,
    organization_options,
    physicians_mail,
    region_policy,
)
from .joining import (
    Application,
    answer_question,
    applications,
    apply,
    approve,
    ask,
    found_operator,
    founded,
    refuse,
    verify_application,
)
from .machines import issue_token, revoke_token
from .people import (
    accept_invitation,
    add_member,
    end_membership,
    first_password,
    invitation,
    invite,
    password_changed,
)

__all__ = [
    "ActingChoice",
    "Actor",
    "Application",
    "Duty",
    "Role",
    "accept_invitation",
    "acting_choices",
    "actor_for_session",
    "actor_for_token",
    "add_member",
    "answer_question",
    "applications",
    "apply",
    "approve",
    "ask",
    "end_membership",
    "find_organization",
    "first_password",
    "found_operator",
    "founded",
    "invitation",
    "invite",
    "issue_token",
    "members",
    "operators_mail",
    "organization_options",
    "password_changed",
    "physicians_mail",
    "refuse",
    "region_policy",
    "require",
    "revoke_token",
    "user_needs",
    "verify_application",
]
