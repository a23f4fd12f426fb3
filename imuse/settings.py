"""The settings, read from the environment; docs/production.md lists the variables.

Safe by default: without a variable, `DEBUG` is off, the cookies travel over HTTPS only and the
start is refused until `SECRET_KEY` and `ALLOWED_HOSTS` are given.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else [])

# Links in mails are built from this address, never from the Host header of a request.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")
SITE_NAME = env.str("SITE_NAME", default="Conservatoire")

INSTALLED_APPS = [
    "imuse",
    "reenrolment",
    "billing",
    "teaching",
    "documents",
    "students",
    "families",
    "accounts",
    "imuse.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_include_bootstrap",
]

# The headers stand first, so that static files and the redirection to HTTPS carry them too.
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "imuse.middleware.same_origin_resources",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "imuse.middleware.no_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.session_limits",
    "django_otp.middleware.OTPMiddleware",
    "accounts.middleware.SignedInMiddleware",
    "accounts.middleware.establishment",
    "accounts.middleware.choose_password_first",
    "accounts.middleware.second_factor_first",
    "accounts.middleware.typed_input_received",
    "imuse.middleware.private_pages",
    "reenrolment.middleware.acting_for",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "imuse.urls"
WSGI_APPLICATION = "imuse.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "imuse.context_processors.site",
            ],
            "builtins": ["imuse.templatetags.french", "imuse.templatetags.addresses"],
        },
    },
]
FORM_RENDERER = "imuse.form_renderer.FormRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False
MESSAGE_TAGS = {messages.ERROR: "danger", messages.DEBUG: "secondary"}

# --- Data -------------------------------------------------------------------------------------

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/imuse.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: an atomic block takes the one write lock at once, which stands for the row locks
    # that SQLite lacks; readers are not held up (WAL).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Documents of the families: no address leads to them (`url()` raises), one view lends them.
_PRIVATE_FILES = {
    "BACKEND": "documents.storage.PrivateFileSystemStorage",
    "OPTIONS": {"location": f"{VAR_DIR}/documents"},
}
# documents/system_checks.py says what is wrong with these.
S3 = {
    "bucket_name": env.str("S3_BUCKET", default=""),
    "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
    "region_name": env.str("S3_REGION", default="") or None,
    "location": env.str("S3_PREFIX", default=""),
    "addressing_style": env.str("S3_ADDRESSING", default="auto"),
    "encryption": env.str("S3_ENCRYPTION", default="AES256"),
    "kms_key": env.str("S3_KMS_KEY", default=""),
    "connect_timeout": env.float("S3_CONNECT_TIMEOUT", default=3.0),  # seconds, as the next one
    "read_timeout": env.float("S3_READ_TIMEOUT", default=10.0),
}
if S3["bucket_name"]:
    _PRIVATE_FILES = {"BACKEND": "documents.storage_s3.PrivateS3Storage", "OPTIONS": S3}
STORAGES = {
    "default": _PRIVATE_FILES,
    "private": _PRIVATE_FILES,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "imuse.static_files.StaticFiles"
    },
}
# The antivirus that scans them, ClamAV: « unix:///run/clamav/clamd.ctl » or « tcp://host:3310 »;
# empty, there is none.
CLAMD = env.str("CLAMD", default="")
# Which folders of that storage are whose (accounts/private_files.py): `sweep_documents` deletes
# what no row names there, and touches nothing else.
PRIVATE_FILES = [
    "accounts.private_files.LISTS",
    "families.data_exports.COPIES",
    "documents.sweeping.PIECES",
    "documents.sweeping.PAGES",
    "documents.sweeping.EXAMPLES",
    "teaching.classes.portraits.SHELF",
    "teaching.announcements.files.SHELF",
]
# Who relies on the file of a piece (documents/keeping.py): as long as one does, it stays.
DOCUMENT_USES = ["reenrolment.piece_uses.Dossiers"]
# Who keeps a student's image: each is called with him when a household takes its consent back.
IMAGE_CONSENT_FOLLOWERS = ["teaching.classes.portraits.let_go"]
# What each app holds about a household, to export it or to erase it (families/holdings.py).
PERSONAL_DATA = [
    "families.personal_data.FamiliesPart",
    "students.personal_data.StudentsPart",
    "documents.personal_data.DocumentsPart",
    "billing.personal_data.BillingPart",
    "billing.instruments.personal_data.RentalsPart",
    "teaching.timetable.personal_data.TimetablePart",
    "teaching.evaluations.personal_data.EvaluationsPart",
    "teaching.concerts.personal_data.ConcertsPart",
    "teaching.classes.personal_data.ClassesPart",
    "teaching.absences.personal_data.AbsencesPart",
    "teaching.announcements.personal_data.AnnouncementsPart",
    "reenrolment.personal_data.ReenrolmentPart",
]
# What an agent is told once he saved a slot: each is called with it, and gives sentences.
SLOT_WARNINGS = ["teaching.timetable.conflicts.warnings_of"]
# The hours of a student that are no slot: each is called with him, a slot and the keys of the
# courses that count no more (`but_of`), and gives those at the time of the slot.
STUDENT_HOURS = ["teaching.classes.clashes.fixed_hours_at"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
# « Trop lourd » is a sentence beside the field: the server lets 12 Mo through (deploy/nginx.conf).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# « Reconduire » sends two for each course of a site: enough for 2,400 courses.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024

# --- Mail -------------------------------------------------------------------------------------

# Mails wait in the outbox (accounts.models.Mail); `manage.py send_mails` sends them from there.
globals().update(env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR}/mails"))
EMAIL_TIMEOUT = 20
# What else `send_mails` does, a small piece at a time, each call in its own short transaction: it
# gives something true if there was work. A process of its own would be one more to watch.
BETWEEN_MAILS = [
    "reenrolment.services.allotments.seat_next",
    "reenrolment.services.allotments.tell_next",
    "reenrolment.services.waiting.offer_next",
    "reenrolment.services.launches.prepare_next",
    "reenrolment.services.reminders.remind_next",
    "billing.payfip.settling.settle_next",
    "billing.services.reminders.remind_next",
    "billing.runs.drafting.draft_next",
    "billing.runs.drafting.clear_next",
    "billing.runs.issuing.issue_some",
    "teaching.evaluations.services.publish_next",
    "teaching.announcements.sending.send_next",
    "families.data_exports.prepare_next",
    "families.files_to_delete.delete_next",
    "documents.previews.queue.render_next",
    "teaching.classes.portraits.make_next",
]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="conservatoire@conservatoire.example")

# --- Online payment ---------------------------------------------------------------------------

# PayFiP, which tells what is paid: without a slash at the end. `manage.py payfip_simulator` stands
# for it in the demonstration; empty, nobody pays online. billing/system_checks.py says what is
# wrong with it.
PAYFIP_URL = env.str("PAYFIP_URL", default="" if DEBUG else "https://www.payfip.gouv.fr/tpa")
# « saisie T », where no money moves: never in production.
PAYFIP_TEST_ALLOWED = DEBUG

# --- Doubles ----------------------------------------------------------------------------------

# What each app does of its own rows when a household, or a responsable, is absorbed by its double
# (families.absorbing): a relation that none of them names fails the tests.
FAMILY_FOLLOWERS = [
    "families.absorbing.Guardians",
    "families.absorbing.Merges",
    "families.absorbing.PersonalData",
    "students.absorbing.Custodies",
    "documents.absorbing.Documents",
    "billing.absorbing.Reminders",  # before the invoices, as whoever writes one
    "billing.absorbing.Invoices",
    "billing.instruments.absorbing.Rentals",
    "billing.absorbing.Situations",
    "billing.absorbing.PaymentPlanChoices",
    "teaching.absences.absorbing.Absences",
    "reenrolment.absorbing.Households",
]
GUARDIAN_FOLLOWERS = [
    "families.absorbing.Invitations",
    "teaching.announcements.absorbing.Announcements",
    "reenrolment.absorbing.LaunchMails",
]

# --- Signing in -------------------------------------------------------------------------------

# Whose rows copy the address of an account: each is called with the account and its new address,
# before the account itself is locked.
EMAIL_FOLLOWERS = ["families.services.follow_account"]
# What may forbid to close an account: each is called with it and with the `actor`.
ACCOUNT_CLOSINGS = ["students.people.check_account_closes"]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordOrOneTimePassword"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "imuse:enter"
LOGOUT_REDIRECT_URL = "imuse:landing"
PASSWORD_HASHERS = ["accounts.hashers.OwaspArgon2Hasher"]
PASSWORD_MIN_LENGTH = env.int("PASSWORD_MIN_LENGTH", default=8)
PASSWORD_MAX_LENGTH = env.int("PASSWORD_MAX_LENGTH", default=20)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "accounts.validators.CompositionValidator",  # the manual, annex 1
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH, "max_length": PASSWORD_MAX_LENGTH},
    },
    {"NAME": "accounts.validators.PersonalWordValidator"},
    {"NAME": "accounts.validators.CommonPasswordValidator"},
]
ONE_TIME_PASSWORD_HOURS = 24
EMAIL_CHANGE_HOURS = 24
# « Validation en deux étapes »: the staff must; families and teachers may.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not DEBUG)
OTP_TOTP_ISSUER = SITE_NAME  # the name that the application shows
# How many proxies of ours stand before the site: whose word on the client's address is taken.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

SESSION_ENGINE = "accounts.session_store"
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=60)
SESSION_HOURS = 12  # from the sign-in, whatever one does
# accounts.sessions ends a session; its row, emptied, then stays so long: it tells whose it was.
SESSION_COOKIE_AGE = 24 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "imuse.views.csrf_failure"

# --- Browser's protections --------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap's style sheet draws its arrows with data: images
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- French -----------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"pikepdf": {"level": "WARNING"}},
}
