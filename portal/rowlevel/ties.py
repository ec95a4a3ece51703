"""Who has a tie to a patient at another organization: what opens anything of the patient to them.

One row for each patient and organization, person or link that a grant, a permit, a relationship or
an emergency names, or that is asked to give copies back. Triggers of those tables keep them:
policies ask for each row, and it has to cost nothing. They know no clock: a grant that ran out is a
tie until it is revoked, and the fence says no. They live on PostgreSQL alone, made of the other
tables and of nothing else.
"""

TABLE = """
CREATE TABLE IF NOT EXISTS access_tie (
    patient_id bigint NOT NULL, whom text NOT NULL, PRIMARY KEY (patient_id, whom)
)
"""
TIED = """
CREATE OR REPLACE FUNCTION portal_tied(custodian bigint, patient bigint) RETURNS boolean
LANGUAGE plpgsql STABLE COST 200 AS $$
DECLARE memo text := current_setting('portal.scope', true) || '|' || patient;
BEGIN
    IF current_setting('portal.tied', true) = memo THEN RETURN true; END IF;
    IF EXISTS (SELECT FROM access_tie t WHERE t.patient_id = patient) THEN
        PERFORM set_config('portal.tied', memo, true);
        RETURN true;
    END IF;
    IF COALESCE(current_setting('portal.organization', true), '') = '' THEN RETURN false; END IF;
    RETURN EXISTS (
        SELECT FROM tenants_region r, tenants_organization o
        WHERE r.implicit_policy IN ('treating', 'all_normal')
        AND o.id = custodian AND o.implicit_policy IN ('', 'treating', 'all_normal')
    );
END $$
"""
_SEES = """
CREATE OR REPLACE FUNCTION portal_sees_{table}(key bigint) RETURNS boolean
LANGUAGE plpgsql STABLE COST 200 AS $$
DECLARE memo text := current_setting('portal.scope', true) || '|' || key;
BEGIN
    IF current_setting('portal.seen_{table}', true) = memo THEN RETURN true; END IF;
    IF EXISTS (SELECT FROM {table} t WHERE t.id = key) THEN
        PERFORM set_config('portal.seen_{table}', memo, true);
        RETURN true;
    END IF;
    RETURN false;
END $$
"""
_ABOVE = (
    "consent_consent",
    "access_share",
    "access_glass",
    "archive_study",
    "archive_series",
    "archive_instance",
    "archive_batch",
    "archive_delivery",
)
SEES = tuple(_SEES.format(table=table) for table in _ABOVE)
"""Whether the row of that key is seen: its own policy answers.

The last yes is remembered for the transaction (one statement, mostly) and its scope: the rows of a
fence come together, a dozen of the same consent. Which is why no such query runs in parallel.
"""
REVIEWS = """
CREATE OR REPLACE FUNCTION portal_reviews(glass bigint) RETURNS boolean
LANGUAGE plpgsql STABLE COST 200 AS $$
BEGIN RETURN EXISTS (SELECT FROM access_review r WHERE r.glass_id = glass); END $$
"""
NAMED = """
CREATE OR REPLACE FUNCTION portal_named(patient bigint) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT 'o' || g.organization_id FROM access_grant g
    WHERE g.patient_id = patient AND g.revoked_at IS NULL AND g.organization_id IS NOT NULL
    UNION SELECT 'u' || g.user_id FROM access_grant g
    WHERE g.patient_id = patient AND g.revoked_at IS NULL AND g.user_id IS NOT NULL
    UNION SELECT 'o' || t.organization_id FROM access_grant g
    JOIN tenants_team t ON t.id = g.team_id
    WHERE g.patient_id = patient AND g.revoked_at IS NULL
    UNION SELECT 'l' || s.public_id FROM access_grant g JOIN access_share s ON s.id = g.share_id
    WHERE g.patient_id = patient AND g.revoked_at IS NULL AND g.grantee_kind = 'link'
    UNION SELECT 'o' || r.organization_id FROM access_relationship r WHERE r.patient_id = patient
    UNION SELECT 'o' || r.organization_id FROM notify_recall r
    JOIN consent_consent c ON c.id = r.consent_id
    WHERE c.patient_id = patient AND r.organization_id IS NOT NULL
    UNION SELECT 'o' || g.organization_id FROM access_glass g
    JOIN access_glasspatient p ON p.glass_id = g.id
    WHERE p.patient_id = patient AND g.state = 'open'
    UNION SELECT CASE
        WHEN e.organization_id IS NOT NULL THEN 'o' || e.organization_id
        WHEN e.user_id IS NOT NULL THEN 'u' || e.user_id
        WHEN e.team_id IS NOT NULL THEN 'o' || t.organization_id
        ELSE '*' END
    FROM consent_consent c JOIN consent_grantee e ON e.consent_id = c.id
    LEFT JOIN tenants_team t ON t.id = e.team_id
    WHERE c.patient_id = patient AND c.state = 'active' AND c.decision = 'permit'
    AND NOT e.excepted AND e.kind NOT IN ('named_by_custodian', 'link')
$$
"""
_FORGET = "    PERFORM set_config('portal.{memo}', '', true);"
_TIE = """
CREATE OR REPLACE FUNCTION portal_tie(patient bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET portal.scope = 'house' SET search_path = public AS $$
BEGIN
    DELETE FROM access_tie t WHERE t.patient_id = patient
    AND t.whom NOT IN (SELECT portal_named(patient));
    INSERT INTO access_tie SELECT patient, named FROM portal_named(patient) named
    ON CONFLICT DO NOTHING;
{forgets}
END $$
"""
TIE = _TIE.format(
    forgets="\n".join(
        _FORGET.format(memo=memo) for memo in ("tied", *(f"seen_{table}" for table in _ABOVE))
    )
)
_TRIGGER = """
CREATE OR REPLACE FUNCTION portal_tie_{name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET portal.scope = 'house' SET search_path = public AS $$
DECLARE line record; patient bigint;
BEGIN
    line := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    FOR patient IN {patients} LOOP PERFORM portal_tie(patient); END LOOP;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER ties_follow AFTER {when} ON {table}
FOR EACH ROW EXECUTE FUNCTION portal_tie_{name}();
"""
_ITS = "SELECT line.patient_id"
_OF_CONSENT = "SELECT c.patient_id FROM consent_consent c WHERE c.id = line.consent_id"
_OF_GLASS = "SELECT p.patient_id FROM access_glasspatient p WHERE p.glass_id = line.id"
_CHANGES = "INSERT OR UPDATE OR DELETE"
_FOLLOWED = (
    ("grant", "access_grant", _CHANGES, _ITS),
    ("relationship", "access_relationship", _CHANGES, _ITS),
    ("glasspatient", "access_glasspatient", _CHANGES, _ITS),
    ("glass", "access_glass", "UPDATE OF state", _OF_GLASS),
    ("consent", "consent_consent", "UPDATE OF state, patient_id OR DELETE", _ITS),
    ("recall", "notify_recall", _CHANGES, _OF_CONSENT),
    ("grantee", "consent_grantee", _CHANGES, _OF_CONSENT),
)
_TRIGGERS = tuple(
    _TRIGGER.format(name=name, table=table, when=when, patients=patients)
    for name, table, when, patients in _FOLLOWED
)
MADE = (TABLE, TIED, *SEES, REVIEWS, NAMED, TIE, *_TRIGGERS)
"""In the order in which they need each other."""
SOME_ANEW = """
SELECT max(few.id), count(portal_tie(few.id)) FROM (
    SELECT id FROM identity_patient WHERE id > %s ORDER BY id LIMIT %s
) few
"""
"""Of the next patients after a key: the last one's key, NULL where there are none."""
