"""Which rows of which table PostgreSQL shows, and takes, in whose scope: the second fence's table.

What is asked of most rows stands in the condition itself; what is asked of few is a function
(`ties`), because each question would be planned and begun in each of the hundred places where a
fence names these tables. `ROW.` stands before each column of the row that is asked about:
`study_id` alone would be the study's own Study ID in a question about it.

Reading is coarser than the fence, and never finer: what is said of a patient is seen by the
custodian, by whoever has a tie to the patient (`ties`), and where a policy of the region opens the
custodian. Studies and consents of a patient have the same condition, so that a denial is never
hidden from the fence where its study isn't. Writing is for whoever the row belongs to.
"""

from dataclasses import dataclass

HOUSE = "current_setting('portal.scope', true) = 'house'"
HERE = "NULLIF(current_setting('portal.organization', true), '')::bigint"
ONCE = f"(SELECT {HERE})"
"""For tables that are read by the thousand: asked once in a query, which costs a query of few rows
more than it saves."""
WHOM = "string_to_array(current_setting('portal.scope', true), ',')"


@dataclass(frozen=True)
class Policy:
    """What is seen (`reads`), and what may be made, changed and deleted (`writes`)."""

    reads: str
    writes: str
    makes: str = ""
    """Where other rows may be made than changed."""


def _own(column: str = "organization_id", here: str = HERE) -> str:
    return f"ROW.{column} = {here}"


def _person(column: str) -> str:
    return f"('u' || ROW.{column}) = ANY ({WHOM})"


def _patient(custodian: str, patient: str, here: str = HERE) -> str:
    """Own, tied, or opened by a policy of the region."""
    return f"{_own(custodian, here)} OR portal_tied(ROW.{custodian}, ROW.{patient})"


def _of(table: str, key: str, condition: str = "") -> str:
    """As the row that it hangs on, whose own policy is asked."""
    more = f" AND {condition}" if condition else ""
    return f"EXISTS (SELECT FROM {table} above WHERE above.id = ROW.{key}{more})"


def _seen(table: str, key: str) -> str:
    """The same by a function: one step in each place of a plan, however many questions it asks."""
    return f"portal_sees_{table}(ROW.{key})"


def _owned(column: str = "organization_id") -> Policy:
    """Nobody's but the organization's own."""
    return Policy(_own(column), _own(column))


def _below(table: str, key: str, owner: str) -> Policy:
    """Seen with the row above, and written by whoever that one belongs to."""
    return Policy(_seen(table, key), _of(table, key, f"above.{owner} = {HERE}"))


_STUDY = _of("archive_study", "study_id")
_OWN_STUDY = _of("archive_study", "study_id", f"above.organization_id = {HERE}")
_OWN_SERIES = (
    "EXISTS (SELECT FROM archive_series above JOIN archive_study study ON study.id = above.study_id"
    f" WHERE above.id = ROW.series_id AND study.organization_id = {HERE})"
)
_OWN_CONSENT = _of("consent_consent", "consent_id", f"above.custodian_id = {HERE}")
_OWN_PATIENT = _of("identity_patient", "patient_id", f"above.organization_id = {HERE}")
_OWN_GLASS = _of("access_glass", "glass_id", f"above.organization_id = {HERE}")
_GIVEN = f"(above.custodian_id = {HERE} OR above.shared_for_id = {HERE})"
_SHARED = (
    f"{_own('custodian_id')} OR {_own('shared_for_id')} OR {_own('to_organization_id')}"
    f" OR {_person('to_user_id')} OR ('l' || ROW.public_id) = ANY ({WHOM})"
)

POLICIES: dict[str, Policy] = {
    "access_tie": Policy(f"ROW.whom = ANY ({WHOM})", "false"),
    "identity_patient": Policy(_patient("organization_id", "id", ONCE), _own()),
    "consent_consent": Policy(_patient("custodian_id", "patient_id"), _own("custodian_id")),
    "consent_term": _below("consent_consent", "consent_id", "custodian_id"),
    "consent_grantee": _below("consent_consent", "consent_id", "custodian_id"),
    "consent_evidence": Policy(_OWN_CONSENT, _OWN_CONSENT),
    "consent_statement": Policy(_OWN_CONSENT, _OWN_CONSENT),
    "consent_phonesession": Policy(_own("custodian_id"), _own("custodian_id")),
    "consent_proxy": Policy(_OWN_PATIENT, _OWN_PATIENT),
    "access_share": Policy(_SHARED, f"{_own('custodian_id')} OR {_own('shared_for_id')}"),
    "access_grant": Policy(
        f"{_own('custodian_id')} OR {_own()} OR {_person('user_id')}"
        f" OR {_seen('access_share', 'share_id')}",
        _of("access_share", "share_id", _GIVEN),
    ),
    "access_accessrequest": Policy(
        f"{_own('custodian_id')} OR {_own('asked_for_id')}",
        f"{_own('custodian_id')} OR {_own('asked_for_id')}",
        makes=_own("asked_for_id"),
    ),
    "access_glass": Policy(
        f"{_own()} OR portal_reviews(ROW.id)",
        _own(),
    ),
    "access_glasspatient": Policy(_seen("access_glass", "glass_id"), _OWN_GLASS),
    "access_review": Policy(_own(), _own()),
    "access_use": Policy(f"{_own('custodian_id')} OR {_own()}", _own("custodian_id")),
    "access_renewalask": Policy(
        f"{_own('asked_for_id')} OR {_seen('access_share', 'share_id')}",
        f"{_own('asked_for_id')} OR {_of('access_share', 'share_id', _GIVEN)}",
        makes=_own("asked_for_id"),
    ),
    "access_relationship": Policy(f"{_own('custodian_id')} OR {_own()}", _own("custodian_id")),
    "archive_study": Policy(_patient("organization_id", "patient_id", ONCE), _own()),
    "archive_series": Policy(_STUDY, _OWN_STUDY),
    "archive_instance": Policy(
        f"{_own(here=ONCE)} OR {_seen('archive_series', 'series_id')}", _own()
    ),
    "archive_listed": Policy(f"{_own(here=ONCE)} OR {_seen('archive_study', 'study_id')}", _own()),
    "archive_namekey": Policy(_patient("organization_id", "patient_id", ONCE), _own()),
    "archive_requested": Policy(_seen("archive_series", "series_id"), _OWN_SERIES),
    "archive_rendition": Policy(
        _seen("archive_instance", "instance_id"),
        _of("archive_instance", "instance_id", f"above.organization_id = {HERE}"),
    ),
    "archive_batch": _owned(),
    "archive_upload": _below("archive_batch", "batch_id", "organization_id"),
    "archive_delivery": _owned(),
    "archive_deliveryitem": _below("archive_delivery", "delivery_id", "organization_id"),
    "archive_conflict": _owned(),
    "archive_heldstudy": _owned(),
    "archive_look": Policy(f"{_own()} OR {_OWN_STUDY}", _own()),
    "archive_opening": _owned(),
    "archive_savedsearch": _owned(),
    "archive_labelling": _owned(),
    "archive_removal": _owned(),
    "archive_withheld": _owned(),
    "archive_hold": _owned(),
    "archive_erasure": _owned(),
    "archive_damage": _owned(),
    "exchange_sharelink": Policy(
        _of("access_share", "share_id", _GIVEN), _of("access_share", "share_id", _GIVEN)
    ),
    "exchange_linktry": Policy(
        _of("exchange_sharelink", "link_id"), _of("exchange_sharelink", "link_id")
    ),
    "exchange_album": Policy(
        f"{_own()} OR EXISTS (SELECT FROM exchange_albummember m WHERE m.album_id = ROW.id)",
        _own(),
    ),
    "exchange_albummember": Policy(f"{_own('owner_id')} OR {_own()}", _own("owner_id")),
    "exchange_albumstudy": Policy(
        _of("exchange_album", "album_id"),
        _of("exchange_album", "album_id", f"above.organization_id = {HERE}"),
    ),
    "exchange_albumgrant": Policy(
        _of("exchange_albummember", "member_id"),
        _of("exchange_albummember", "member_id", f"above.owner_id = {HERE}"),
    ),
    "notify_webhook": _owned(),
    "notify_delivery": Policy(
        _of("notify_webhook", "webhook_id"), _of("notify_webhook", "webhook_id")
    ),
    "notify_recall": Policy(
        f"{_own('custodian_id')} OR {_own()}", f"{_own('custodian_id')} OR {_own()}"
    ),
    "notify_recalledcopy": Policy(
        _of("notify_recall", "recall_id"),
        _of("notify_recall", "recall_id"),
        makes=_of("notify_recall", "recall_id", f"above.custodian_id = {HERE}"),
    ),
    "notify_notice": Policy(_person("user_id"), _person("user_id")),
    "notify_wish": Policy(_person("user_id"), _person("user_id")),
    "notify_quiet": Policy(_person("user_id"), _person("user_id")),
}

OPEN: dict[str, str] = {
    "access_passedon": "through whom a grant came: a hidden row would open what rests with a house",
    "outbox_job": "ids of what is to be done; only the portal's own tasks read them",
    "archive_verified": "names of packs and when they were read",
    "notify_mail": "which letter went to which address",
    "notify_waiting": "lines of letters that wait for an hour",
    **dict.fromkeys(
        ("audit_event", "audit_tally", "audit_leaf", "audit_node", "audit_checkpoint"),
        "the log: append-only, with rights of its own (audit.rights)",
    ),
    **dict.fromkeys(
        ("audit_anchored", "audit_witness", "audit_feed"), "heads of the log, no events"
    ),
    **dict.fromkeys(
        (
            "tenants_user",
            "tenants_region",
            "tenants_organization",
            "tenants_membership",
            "tenants_post",
            "tenants_move",
            "tenants_logo",
            "tenants_listing",
            "notify_housewish",
            "tenants_team",
            "tenants_teammember",
            "tenants_letter",
            "partners_client",
            "partners_clientsecret",
            "partners_grant",
            "partners_accesstoken",
            "partners_refreshtoken",
            "partners_idtoken",
            "partners_usedassertion",
            "partners_replay",
            "oauth2_provider_devicegrant",
            "tenants_agreement",
            "tenants_agreementmodality",
            "archive_labelrule",
        ),
        "organizations, their people, machines and rules; no patients",
    ),
    **dict.fromkeys(
        ("office_linktest", "office_leaving"), "how connections do and who leaves; no patients"
    ),
    "audit_past": "former settings and times, by value; no patients",
    **dict.fromkeys(
        ("account_emailaddress", "account_emailconfirmation", "mfa_authenticator"), "sign-in"
    ),
    **dict.fromkeys(
        (
            "auth_permission",
            "auth_group",
            "auth_group_permissions",
            "django_content_type",
            "django_session",
            "django_migrations",
            "usersessions_usersession",
            "socialaccount_socialaccount",
            "socialaccount_socialapp",
            "socialaccount_socialtoken",
            "tenants_realm",
            "tenants_sitting",
            "tenants_supportsession",
            "tenants_realmdomain",
        ),
        "Django's own",
    ),
}
"""Tables without a patient in them, and why."""
