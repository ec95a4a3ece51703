"""Who may knock at which route: a table that a reviewer can hold. A route without a row fails.

- public: strangers get in (the short list).
- self: any signed-in person, about nothing but themselves.
- organization: a member, about their own organization; the role is the service's answer.
- study: through the fence; not visible is not there.
- closed: nobody; allauth brings the route, the portal doesn't have the page.
"""

PUBLIC, SELF, ORGANIZATION, STUDY, CLOSED = "public", "self", "organization", "study", "closed"

MATRIX: dict[str, str] = {
    # portal
    "alive": PUBLIC,
    "ready": PUBLIC,
    # sign-in
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_confirm_login_code": SELF,
    "account_reauthenticate": SELF,
    "account_change_password": SELF,
    "account_set_password": SELF,
    "mfa_index": SELF,
    "mfa_authenticate": SELF,
    "mfa_reauthenticate": SELF,
    "mfa_activate_totp": SELF,
    "mfa_deactivate_totp": SELF,
    "mfa_view_recovery_codes": SELF,
    "mfa_generate_recovery_codes": SELF,
    "mfa_download_recovery_codes": SELF,
    "account_signup": CLOSED,
    "account_email": CLOSED,
    "account_email_verification_sent": CLOSED,
    "account_confirm_email": CLOSED,
    # pages: joining the region
    "web:apply": PUBLIC,
    "web:applied": PUBLIC,
    "web:verify-application": PUBLIC,
    "web:answer-question": PUBLIC,
    "web:accept-invitation": PUBLIC,
    # pages: one's own
    "web:act-as": SELF,
    "web:notices": SELF,
    "web:notice": SELF,
    # pages: one's organization
    "web:home": ORGANIZATION,
    "web:applications": ORGANIZATION,
    "web:application": ORGANIZATION,
    "web:people": ORGANIZATION,
    "web:invite": ORGANIZATION,
    "web:end-membership": ORGANIZATION,
    "web:patients": ORGANIZATION,
    "web:patient": ORGANIZATION,
    "web:consents": ORGANIZATION,
    "web:new-consent": ORGANIZATION,
    "web:consent-preview": ORGANIZATION,
    "web:consent": ORGANIZATION,
    "web:revoke-consent": ORGANIZATION,
    "web:consent-evidence": ORGANIZATION,
    "web:share": ORGANIZATION,
    "web:share-preview": ORGANIZATION,
    "web:upload": ORGANIZATION,
    "web:receipt": ORGANIZATION,
    "web:log": ORGANIZATION,
    # pages: through the fence
    "web:studies": STUDY,
    "web:study": STUDY,
    "web:study-log": STUDY,
    "web:study-state": STUDY,
    "web:study-thumbnail": STUDY,
    "web:series-thumbnail": STUDY,
    # viewer
    "viewer:study": STUDY,
    "viewer:pulse": STUDY,
    # DICOMweb, twice: all that the caller may see, and one custodian
    "dicomweb:service": ORGANIZATION,
    "dicomweb:studies": STUDY,
    "dicomweb:study": STUDY,
    "dicomweb:all-series": STUDY,
    "dicomweb:all-instances": STUDY,
    "dicomweb:study-series": STUDY,
    "dicomweb:study-instances": STUDY,
    "dicomweb:study-metadata": STUDY,
    "dicomweb:study-rendered": STUDY,
    "dicomweb:study-thumbnail": STUDY,
    "dicomweb:series": STUDY,
    "dicomweb:series-instances": STUDY,
    "dicomweb:series-metadata": STUDY,
    "dicomweb:series-rendered": STUDY,
    "dicomweb:series-thumbnail": STUDY,
    "dicomweb:instance": STUDY,
    "dicomweb:instance-metadata": STUDY,
    "dicomweb:instance-thumbnail": STUDY,
    "dicomweb:instance-rendered": STUDY,
    "dicomweb:bulkdata": STUDY,
    "dicomweb:frames": STUDY,
    "dicomweb:frame-rendered": STUDY,
    "dicomweb:frame-thumbnail": STUDY,
    # REST
    "api:schema": PUBLIC,
    "api:me": SELF,
    "api:studies": STUDY,
    "api:study": STUDY,
    "api:uploads": ORGANIZATION,
    "api:upload": ORGANIZATION,
    "api:upload-batches": ORGANIZATION,
    "api:upload-batch": ORGANIZATION,
    "api:upload-batch-close": ORGANIZATION,
}
