"""The portal's own settings, with a folder and a broker that end with the test run.

DATABASE_URL chooses the database, as in real life; without it each test process has a SQLite file.
"""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="portal-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ.update(
    DATA_DIR=_folder,
    PORTAL_MODE="embedded",
    PUBLIC_URL="http://testserver",
    REDIS_URL="",
    BLOB_STORAGE="",
    EMAIL_URL="",
    LOG_LEVEL="WARNING",
    MISSES_A_MINUTE="0",  # tests ask for what is hidden by the hundred
)
# Playwright's event loop rests in the main thread while the next test asks the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATA_DIR, DATABASE_OWNER, DATABASE_ROLE, DATABASES  # noqa: E402

if DATABASE_OWNER:
    # The owner signs in and is the portal's role from the start, so that a test can be the owner
    # for a moment (SET LOCAL ROLE NONE). Live portals sign in as the role itself.
    DATABASES["default"] = {**DATABASE_OWNER, "NAME": DATABASES["default"]["NAME"]}
    DATABASES["default"]["OPTIONS"] = {
        **DATABASE_OWNER["OPTIONS"],
        "options": f"{DATABASE_OWNER['OPTIONS']['options']} -c role={DATABASE_ROLE}",
    }
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads lock each other as they do in real life. It need not survive.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    )
# Argon2 is meant to be slow; what it protects is tested with the real one.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
