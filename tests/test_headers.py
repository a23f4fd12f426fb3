"""The headers of every answer: pages, errors, downloads (security.md, « Requests »)."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.factories import DocumentFactory

PAGES = {
    "Content-Security-Policy": "base-uri 'none'; connect-src 'self'; default-src 'none'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; "
    "object-src 'none'; script-src 'self'; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def headers(response):
    found = {name: response.headers.get(name) for name in PAGES}
    policy = found["Content-Security-Policy"]
    found["Content-Security-Policy"] = "; ".join(sorted(policy.split("; ")))
    return found


@pytest.mark.parametrize("path", ["/extranet/", "/extranet/connexion/", "/extranet/rien/", "/"])
def test_every_answer_carries_them(client, establishment, path):
    assert headers(client.get(path)) == PAGES


def test_private_pages_are_kept_nowhere(client, parent):
    client.force_login(parent)

    assert client.get(reverse("families:identity")).headers["Cache-Control"] == "no-store"


def test_a_download_is_sandboxed_and_kept_nowhere(client, parent, family):
    client.force_login(parent)

    response = client.get(reverse("documents:download", args=[DocumentFactory(family=family).pk]))

    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_the_host_is_checked(client, establishment):
    assert client.get("/extranet/", headers={"host": "evil.example"}).status_code == 400


def test_a_post_without_token_is_a_french_403(parent):
    client = Client(enforce_csrf_checks=True)
    client.force_login(parent)

    response = client.post(reverse("families:identity"))

    assert response.status_code == 403
    assert 'lang="fr"' in response.content.decode()


def test_cookies_of_production():
    """Those that the settings give when `DEBUG` is off; tests/settings.py turns `Secure` off."""
    names = ["NAME", "SECURE", "HTTPONLY", "SAMESITE", "PATH", "DOMAIN"]
    code = (
        "from imuse import settings as ours; from django.conf import global_settings as theirs;"
        "import json; print(json.dumps([[getattr(ours, f'{kind}_COOKIE_{name}',"
        f" getattr(theirs, f'{{kind}}_COOKIE_{{name}}')) for name in {names}]"
        " for kind in ('SESSION', 'CSRF')]))"
    )
    environment = {**os.environ, "DEBUG": "off", "SECRET_KEY": "x", "ALLOWED_HOSTS": "x.example"}

    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )

    # What a browser asks of « __Host- »: Secure, the whole path, no domain.
    assert json.loads(answer.stdout) == [
        ["__Host-session", True, True, "Lax", "/", None],
        ["__Host-csrf", True, True, "Lax", "/", None],
    ]
