"""Which kind of database a test asks: `pytest --halves` runs each test where it can find something.

`make test` runs the suite twice, on SQLite and on PostgreSQL. What is written in SQL by hand, what
locks, syncs and heals, and every rule of access is asked of both. The rest is asked of one:

- `SQLITE`, the quicker one: nothing in them depends on the kind of database. The DICOM floor (an
  import contract says so), images, how the house is built, what browsers see, what clients ask, how
  processes start and end, faults of brokers, senders, disks and decoders.
- `POSTGRESQL`, the stricter one, which has the second fence: rooms and faces that ask by Django's
  querysets alone. Of SQLite the journeys and every page of the demo ask the same in a browser.

The worlds of the oracle are shared out: each half makes its own.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")


def _named(places: str) -> tuple[str, ...]:
    return tuple(places.split())


SQLITE = _named("""
    archive/test_frame_tables.py archive/test_queries.py archive/test_summaries.py
    attacks/test_broker.py attacks/test_metadata_bodies.py attacks/test_multipart.py
    audit/test_fhir.py audit/test_patterns.py audit/test_tampering.py
    clients demo dicom house mutants saml
    durability/test_database_away.py durability/test_disk.py durability/test_other_faults.py
    faces/api/test_docs.py faces/api/test_examples.py faces/api/test_examples_run.py
    faces/api/test_lattice.py faces/api/test_lattice_of_writing.py faces/api/test_openapi.py
    faces/api/test_uploads.py
    faces/dicomweb/test_client.py faces/dicomweb/test_ohif.py
    faces/dicomweb/test_retrieve_manifest.py faces/dicomweb/test_retrieve_protocol.py
    faces/dicomweb/test_retrieve_rendered.py faces/dicomweb/test_retrieve_transcoded.py
    faces/dicomweb/test_stow_live.py
    faces/fhir/test_valid.py
    faces/viewer/test_in_chromium.py faces/viewer/test_line.py faces/viewer/test_scripts.py
    faces/viewer/test_tools.py
    faces/web/test_frame.py faces/web/test_lanes.py faces/web/test_languages.py
    faces/web/test_words.py
    journeys/test_every_page.py journeys/test_passkeys.py journeys/test_phone.py
    kernel/test_outgoing.py kernel/test_sql.py kernel/test_tokens.py
    oracle/test_apart.py oracle/test_canaries.py oracle/test_twins.py
    partners/test_scopes.py
    portal/test_cache.py portal/test_env.py portal/test_passwords.py portal/test_production.py
    portal/test_serve.py portal/test_statics.py portal/test_supervisor.py
""")
POSTGRESQL = _named("""
    consent exchange notify office tenants
    durability/test_revocation.py
    faces/api faces/fhir faces/oauth faces/scim faces/web
    journeys/test_main_journey.py
    oracle/test_operator.py
""")


def elsewhere(path: Path, *, on_postgresql: bool = ON_POSTGRESQL) -> bool:
    """Whether a file of tests is the other half's alone. What is named most closely counts."""
    for place in (path, *path.parents):
        if ROOT in place.parents:
            name = place.relative_to(ROOT).as_posix()
            if name in SQLITE or name in POSTGRESQL:
                return name in (SQLITE if on_postgresql else POSTGRESQL)
    return False
