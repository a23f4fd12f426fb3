"""What the mails say: each in two templates, `emails/<name>_subject.txt` and `_body.txt`."""

import datetime as dt

from django.conf import settings
from django.template import Context
from django.template.loader import get_template

from accounts.models import Mail, User


def compose(name: str, context: dict) -> tuple[str, str]:
    """The subject, on one line and short enough for the outbox, and the body, in plain text.

    The templates also know `site_name` and `site_url` (the configured address, no slash at the
    end). Nothing is escaped: « l'élève » stays so.
    """
    context = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **context}
    subject = " ".join(_render(f"emails/{name}_subject.txt", context).splitlines())
    body = _render(f"emails/{name}_body.txt", context)
    return subject[: Mail._meta.get_field("subject").max_length], f"{body}\n"


def one_time_password(user: User, password: str, expires_at: dt.datetime) -> tuple[str, str]:
    """The mail of « mot de passe perdu »; it holds the password: keep it nowhere."""
    return compose(
        "one_time_password", {"user": user, "password": password, "expires_at": expires_at}
    )


def _render(template, context):
    return get_template(template).template.render(Context(context, autoescape=False)).strip()
