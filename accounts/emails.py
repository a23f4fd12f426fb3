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


def email_change(token: str, expires_at: dt.datetime) -> tuple[str, str]:
    """The mail to the new address; it holds the link: keep it nowhere.

    It names nobody: the address may have been mistyped, and be a stranger's.
    """
    return compose("email_change", {"token": token, "expires_at": expires_at})


def email_change_asked(user: User) -> tuple[str, str]:
    """The mail to the address of now. It does not tell the new one: others may read it here."""
    return compose("email_change_asked", {"user": user})


def email_changed(user: User, *, by_staff: bool) -> tuple[str, str]:
    """The last mail to the former address, which does not tell the new one either."""
    establishment = user.establishments.first()
    return compose(
        "email_changed", {"user": user, "by_staff": by_staff, "establishment": establishment}
    )


def _render(template, context):
    return get_template(template).template.render(Context(context, autoescape=False)).strip()
