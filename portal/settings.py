"""One settings file for the laptop and for the region; the environment says which (portal/env.py).

What is different in production is a value, never another code path (ADR-003).
"""

from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab

from portal import env as environment
from portal import static_headers
from portal.logs import logging_config

env = environment.here()
BASE_DIR = environment.BASE_DIR
PORTAL_MODE = env.choice("PORTAL_MODE", ("embedded", "production"))
PRODUCTION = PORTAL_MODE == "production"
DATA_DIR: Path = env.folder("DATA_DIR")
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")
PUBLIC_HTTPS = PUBLIC_URL.startswith("https://")
REDIS_URL = env.text("REDIS_URL")
DEBUG = env.flag("DEBUG")
# An empty key in production stops the start in portal/checks.py, with a sentence.
SECRET_KEY = env.text("SECRET_KEY") or (
    "missing" if PRODUCTION else environment.generated_key(DATA_DIR)
)

# --- who is in the house --------------------------------------------------------------------------
ROOMS = (
    "sharing.outbox",
    "sharing.audit",
    "sharing.tenants",
    "sharing.partners",
    "sharing.identity",
    "sharing.consent",
    "sharing.access",
    "sharing.archive",
    "sharing.exchange",
    "sharing.notify",
    "sharing.office",
    "sharing.web",
    "sharing.api",
    "sharing.fhir",
    "sharing.scim",
    "sharing.oauth",
    "sharing.dicomweb",
    "sharing.viewer",
    "sharing.demo",
)
INSTALLED_APPS = [
    "portal",
    *ROOMS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.forms",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
]
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

MIDDLEWARE = [
    "portal.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.SecurityHeaders",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.RequestActor",
    "portal.bearers.LinkDoors",
    "portal.middleware.FirstThings",
    "portal.stepup.Sittings",
    "portal.conventions.RestConventions",
    "portal.middleware.DomainErrors",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "sharing.web.languages.loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["django.templatetags.i18n", "sharing.web.templatetags.said"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.middleware.actor_in_templates",
                "portal.stepup.sitting_in_templates",
                "sharing.web.context.shell",
            ],
        },
    }
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- where things are kept ------------------------------------------------------------------------
DATABASES = {"default": environment.database(env.text("DATABASE_URL"), DATA_DIR)}
DATABASE_OWNER = environment.owner(
    env.text("DATABASE_URL"), env.text("DATABASE_OWNER_URL"), DATA_DIR
)
DATABASE_ROLE = DATABASES["default"]["USER"] if DATABASE_OWNER else ""
BLOB_STORAGE, SCRATCH_DIR = environment.blobs(env.text("BLOB_STORAGE"), DATA_DIR)
REJECTED_KEEP_DAYS = env.number("REJECTED_KEEP_DAYS")
STORE_REQUESTS_A_MINUTE = env.number("STORE_REQUESTS_A_MINUTE")
REST_REQUESTS_A_MINUTE = env.number("REST_REQUESTS_A_MINUTE")
MISSES_A_MINUTE = env.number("MISSES_A_MINUTE")
STORE_QUOTA_BYTES = env.number("STORE_QUOTA_BYTES")
HTJ2K_AHEAD = env.flag("HTJ2K_AHEAD")
DOCUMENTS_DIR = DATA_DIR / "documents"  # ready-made metadata; may be emptied at any time
DOCUMENTS_MOST = 4 * 1024**3  # bytes
AUDIT_KEY = env.text("AUDIT_KEY")
AUDIT_ANCHOR_FILE = Path(env.text("AUDIT_ANCHOR_FILE") or DATA_DIR / "audit-heads.ndjson")
AUDIT_ANCHOR_S3 = env.text("AUDIT_ANCHOR_S3")
AUDIT_SYSLOG = env.text("AUDIT_SYSLOG")
AUDIT_KEEP_YEARS = max(env.number("AUDIT_KEEP_YEARS"), 6)  # 45 CFR 164.316(b)(2)(i)
OUTGOING_ALLOWED = [
    each.strip() for each in env.text("OUTGOING_ALLOWED").split(",") if each.strip()
]
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR / "tmp")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # forms only; uploads of images are streamed past it
for _folder in (DATA_DIR / "tmp", DATA_DIR / "staticfiles"):
    _folder.mkdir(parents=True, exist_ok=True)
CACHES = {
    "default": (
        {
            "BACKEND": "portal.cache.RedisOrMemory",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 1},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# --- tasks ----------------------------------------------------------------------------------------
CELERY_BROKER_URL = environment.broker(REDIS_URL) or "memory://localhost/"
CELERY_RESULT_BACKEND = None  # the database row is the result
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TIMEZONE = "UTC"
# The bell may get lost with the broker; the sweep finds every promise that was not kept.
CELERY_BEAT_SCHEDULE = {
    "outbox-sweep": {"task": "outbox.sweep", "schedule": 10.0},
    "outbox-clear": {"task": "outbox.clear", "schedule": 3600.0},
    "portal-forget-sessions": {"task": "portal.forget_sessions", "schedule": 3600.0},
    "audit-seal": {"task": "audit.seal", "schedule": 45.0},
    "audit-feed": {"task": "audit.feed", "schedule": 15.0},
    "partners-clear": {"task": "partners.clear", "schedule": 3600.0},
    "consent-expire": {"task": "consent.expire", "schedule": 60.0},
    "access-expire-glasses": {"task": "access.expire_glasses", "schedule": 60.0},
    "consent-lapse": {"task": "consent.lapse", "schedule": 60.0},
    "access-mind-requests": {"task": "access.mind_requests", "schedule": 600.0},
    "notify-tell-due-posts": {"task": "notify.tell_due_posts", "schedule": 86400.0},
    "tenants-lapse-posts": {"task": "tenants.lapse_posts", "schedule": 3600.0},
    "notify-send-waiting": {"task": "notify.send_waiting", "schedule": 300.0},
    "notify-read-log": {"task": "notify.read_log", "schedule": 15.0},
    "notify-tell-endings": {"task": "notify.tell_endings", "schedule": 3600.0},
    "archive-close-idle-batches": {"task": "archive.close_idle_batches", "schedule": 60.0},
    "archive-reconcile": {"task": "archive.reconcile", "schedule": 3600.0},
    "archive-purge": {"task": "archive.purge", "schedule": 3600.0},
    "office-nightly": {"task": "office.test_links", "schedule": crontab(hour=2, minute=40)},
    "archive-scrub": {"task": "archive.scrub", "schedule": 3600.0},
}

# --- pages ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "portal.statics.HashedStaticFiles"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
MEDIA_ROOT = DATA_DIR / "files"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = static_headers.is_immutable
WHITENOISE_ADD_HEADERS_FUNCTION = static_headers.add_headers
VITE_MANIFEST = BASE_DIR / "static" / "build" / "manifest.json"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- e-mail ---------------------------------------------------------------------------------------
globals().update(environment.email(env.text("EMAIL_URL"), DATA_DIR))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM")
EMAIL_SUBJECT_PREFIX = ""

# --- sign-in --------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", **options}
    for name, options in (
        ("MinimumLengthValidator", {"OPTIONS": {"min_length": 12}}),
        ("UserAttributeSimilarityValidator", {}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
] + [{"NAME": "portal.passwords.NotGuessedEarly"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.accounts.InvitedAccounts"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# An account starts from a link that was mailed to its address: following it proves the address.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "realm": "60/10m/ip",  # looking for the sign-in of an organization
    "saml_answer": "1200/10m/ip",  # a hospital shares an address
    "join": "30/h/ip",  # registrations of organizations
    "phone": "60/m/ip",  # patients' proofs; a waiting room shares an address
    "open_link": "30/10m/ip",  # links and codes that were not right
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.flag("TRUST_PROXY"))
# The address was proved by the link that began the account; allauth's own list doesn't know it.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_ADAPTER = "portal.oidc.HouseSignIn"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: a form's redirect would be against form-action 'self'
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True}}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PUBLIC_HTTPS  # a laptop's http://localhost
MFA_TOTP_TOLERANCE = 1  # one step either way: phones and servers disagree by seconds (RFC 6238 5.2)
MFA_TOTP_ISSUER = "Imaging sharing portal"

# --- the wire -------------------------------------------------------------------------------------
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [_public.hostname or "localhost"]
if not PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = PUBLIC_HTTPS
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_SSL_REDIRECT = False  # the proxy in front does it; health checks come by plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
if env.flag("TRUST_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Same setting name and shape as Django 6.0, so that our middleware can go then.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "frame-src": ["'self'"],
    "frame-ancestors": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
}

# --- partners: OAuth 2 by RFC 9700 ---------------------------------------------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "partners.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "partners.AccessToken"  # noqa: S105
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "partners.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_GRANT_MODEL = "partners.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "partners.IDToken"  # noqa: S105
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "sharing.partners.validator.PartnersValidator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 12 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],  # http on 127.0.0.1 is the client's own (RFC 8252)
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}

# --- the REST faces -------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.rest.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["portal.rest.HasActor"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.rest.exception_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Imaging sharing portal",
    "VERSION": "1",
    "DESCRIPTION": "Studies, what may be seen of them, and what is shared, for partners' systems. "
    "What the pages refuse is refused here.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "ShareMayEnum": "sharing.api.shares.MAY",
        "SharePurposeEnum": "sharing.api.shares.PURPOSES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "sharing.api.schema.shared",
        "sharing.api.schema.exemplified",
    ],
}

LOGGING_CONFIG = None  # portal/logs.py configures structlog and logging together
logging_config(production=PRODUCTION, level=env.text("LOG_LEVEL"))
