"""The settings under test: the product's own, with a key, a fast hasher and nothing on disk."""

import os

os.environ["SECRET_KEY"] = "tests-only"
os.environ["DEBUG"] = "off"
os.environ["ALLOWED_HOSTS"] = "testserver,127.0.0.1,localhost"
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["CLAMD"] = ""
os.environ["PAYFIP_URL"] = ""  # a test that pays starts a simulator
os.environ["SSL_REDIRECT"] = "off"
os.environ["STAFF_SECOND_FACTOR"] = "off"  # test_second_factor.py turns it on
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")

from imuse.settings import *  # noqa: E402, F403
from imuse.settings import BETWEEN_MAILS, DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "default": {"BACKEND": "documents.storage.PrivateInMemoryStorage"},
    "private": {"BACKEND": "documents.storage.PrivateInMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Drawing a page starts a process: tests/documents/previews does it, not each test that sends mails.
DRAWER = "documents.previews.queue.render_next"
BETWEEN_MAILS = [step for step in BETWEEN_MAILS if step != DRAWER]
# Static files straight from their sources: a fresh clone has no staticfiles/ folder.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
# Plain http in the test client and in Chromium against 127.0.0.1.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"
SECURE_HSTS_SECONDS = 0

# The browser's tests name a file: a base in memory is one connection for all the server's threads.
if DATABASES["default"]["NAME"] != ":memory:" and "sqlite3" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
