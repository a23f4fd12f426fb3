"""The outbox: the door by which every mail leaves (docs/decisions.md says why it is ours).

`queue` writes a mail in the transaction of the move that it tells of; `send_due`, run by
`manage.py send_mails`, takes it from there. A mail is sent at least once: twice only if the sender
dies between the mail server's « 250 » and its own commit.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Iterable

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import delivery, email_links, emails, one_time_passwords
from accounts.delivery import Carrier
from accounts.enums import WITH_A_SECRET, MailKind
from accounts.models import EmailChange, Mail, PasswordRequest, User

logger = logging.getLogger(__name__)

# Longer than any send (accounts.delivery: 20 s to open, 120 s an answer): past it, the sender is
# taken for dead.
HOLD = dt.timedelta(minutes=15)
# After each failure; the last one again and again, for three days.
DELAYS = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
MAX_ATTEMPTS = len(DELAYS) + 72
BATCH = 500  # rows of one INSERT


class Pointless(Exception):
    """There is no use in sending this mail, now or later; the text says why."""


def queue(
    kind: MailKind,
    *,
    key: str,
    to: str,
    subject: str,
    body: str,
    due_at: dt.datetime | None = None,
) -> Mail | None:
    """Writes a mail to send, in the caller's transaction; None, and nothing, without an address.

    `key` names the object and the move that the mail tells of: the same one is written once. It
    leaves now, or at `due_at`.
    """
    if not to:
        return None
    mail, _ = Mail.objects.get_or_create(
        key=f"{kind}:{key}",
        defaults={
            "kind": kind,
            "to": to,
            "subject": subject,
            "body": body,
            "due_at": due_at or timezone.now(),
        },
    )
    return mail


def queue_many(
    kind: MailKind,
    written: Iterable[tuple[str, str, str, str]],
    due_at: dt.datetime | None = None,
    ways_out: dict[str, str] | None = None,
) -> int:
    """`queue` for many at once, each (key, to, subject, body) with an address; gives how many.

    `ways_out`, by key: where whoever gets a mail that he may refuse says so.
    """
    due_at, ways_out = due_at or timezone.now(), ways_out or {}
    rows = [
        Mail(
            key=f"{kind}:{key}",
            kind=kind,
            to=to,
            subject=subject,
            body=body,
            due_at=due_at,
            way_out=ways_out.get(key, ""),
        )
        for key, to, subject, body in written
    ]
    Mail.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)  # written once
    return len(rows)


def give_up(mail: Mail, why: str) -> None:
    """A mail that has not left yet will not be tried again; one that has left stays as it is."""
    Mail.objects.filter(pk=mail.pk, sent_at=None).update(attempts=MAX_ATTEMPTS, last_error=why)


def give_up_all(rows: QuerySet[Mail], why: str) -> int:
    """`give_up` for many; gives how many."""
    return rows.filter(sent_at=None).update(attempts=MAX_ATTEMPTS, last_error=why)


def replace(begins: list[str], why: str) -> bool:
    """Gives up the mails whose keys begin so and that have not left; for one that replaces them.

    False, and nothing, if one of them has left today or is leaving: a mail server away since
    yesterday would else bring both today. In the caller's transaction.
    """
    if not begins:
        return True
    any_of = Q(*[("key__startswith", key) for key in begins], _connector=Q.OR)
    former = list(Mail.objects.filter(any_of).select_for_update().order_by("pk"))
    now = timezone.now()
    for mail in former:
        left_today = mail.sent_at and timezone.localdate(mail.sent_at) == timezone.localdate(now)
        if left_today or mail.sent_at is None and mail.taken_until and mail.taken_until > now:
            return False
    for mail in former:
        if mail.attempts < MAX_ATTEMPTS:
            give_up(mail, why)
    return True


@transaction.atomic
def queue_one_time_password(user: User) -> None:
    """Writes a mail without a body: the password is made when it leaves. One waits at a time."""
    user = User.objects.select_for_update().get(pk=user.pk)
    kind = MailKind.ONE_TIME_PASSWORD
    if user.email and not waiting().filter(kind=kind, user=user).exists():
        _queue_secret(kind, user, to=user.email)


def queue_email_change(change: EmailChange) -> None:
    """Writes the mail of the link, made when it leaves; the one that waited does not leave."""
    kind = MailKind.EMAIL_CHANGE
    Mail.objects.filter(kind=kind, user=change.user_id, sent_at=None).delete()
    _queue_secret(kind, change.user, to=change.email)


def queue_asked() -> int:
    """Answers « mot de passe perdu »: here and not in the page, whose time must tell nothing.

    Gives how many requests were waiting. One query when there is none.
    """
    waiting = list(PasswordRequest.objects.filter(answered=False).select_related("user"))
    for asked in waiting:
        with transaction.atomic():
            if asked.user:  # the account first, like whoever chooses a password
                User.objects.select_for_update().get(pk=asked.user_id)
            # Of two senders at the same moment, one finds it answered.
            mine = PasswordRequest.objects.filter(pk=asked.pk, answered=False)
            if mine.update(answered=True) and asked.user:
                queue_one_time_password(asked.user)
    return len(waiting)


def waiting() -> QuerySet[Mail]:
    """The mails that are neither sent nor given up."""
    return Mail.objects.filter(sent_at=None, attempts__lt=MAX_ATTEMPTS)


def given_up() -> QuerySet[Mail]:
    """Those that are tried no more."""
    return Mail.objects.filter(sent_at=None, attempts__gte=MAX_ATTEMPTS)


def try_again(rows: QuerySet[Mail]) -> int:
    """Mails given up wait again, as new ones; gives how many. One that was erased does not."""
    now = timezone.now()
    return rows.exclude(to="").update(attempts=0, due_at=now, taken_until=None, last_error="")


def send_due(now: dt.datetime | None = None, limit: int | None = None) -> int:
    """Tries every mail that is due, `limit` at most, and gives how many have left.

    `now` is for the tests. A failure is noted in the row, which waits for its next try.
    """
    queue_asked()
    sent = tried = 0
    with Carrier() as carrier:
        while (limit is None or tried < limit) and (mail := send_next(carrier, now)):
            tried += 1
            sent += mail.sent_at is not None
    return sent


def send_next(carrier: Carrier, now: dt.datetime | None = None) -> Mail | None:
    """Tries the mail that has waited longest and gives its row; None when nothing is due."""
    mail = take(now or timezone.now())
    if mail is None:
        return None
    try:
        _send(mail, carrier)
    except Pointless as error:
        _note_failure(mail, attempts=MAX_ATTEMPTS, last_error=str(error))
    except Exception as error:  # whatever is wrong with one mail, the next ones must leave
        text = _describe(error, mail)
        told = delivery.describe(error, quote=False)  # a server's words often hold the address
        logger.warning("Mail %s (%s), try %s: %s", mail.pk, mail.kind, mail.attempts, told)
        if delivery.is_final(error):
            _note_failure(mail, attempts=MAX_ATTEMPTS, last_error=text)
        else:
            delay = DELAYS[min(mail.attempts, len(DELAYS)) - 1]
            _note_failure(mail, due_at=(now or timezone.now()) + delay, last_error=text)
    else:
        mail.sent_at = now or timezone.now()
        # Not `save`: a mail that holds a password goes as soon as another one is chosen.
        row = Mail.objects.filter(pk=mail.pk)
        row.update(sent_at=mail.sent_at, taken_until=None, last_error="")
    return mail


def take(now: dt.datetime) -> Mail | None:
    """Reserves a due mail for this sender; another sender takes another one, or none.

    The try is counted here: a mail that kills its senders is given up too.
    """
    due = (
        waiting()
        .filter(Q(taken_until=None) | Q(taken_until__lte=now), due_at__lte=now)
        .order_by("due_at", "pk")
    )
    if not due.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True)
        # Somebody waits for a one-time password before a screen: five thousand others can wait.
        mail = free.filter(kind__in=WITH_A_SECRET).first() or free.first()
        if mail:
            mail.taken_until = now + HOLD
            mail.attempts += 1
            mail.save(update_fields=["taken_until", "attempts"])
    return mail


def _queue_secret(kind, user, *, to):
    Mail.objects.create(
        key=f"{kind}:{user.pk}:{uuid.uuid4().hex}",
        kind=kind,
        to=to,
        user=user,
        due_at=timezone.now(),
    )


def _send(mail, carrier):
    subject, body = _content(mail)
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: no « absent du bureau » comes back
    if mail.way_out:  # RFC 2369 and 8058: the button of the reader's mail program
        headers["List-Unsubscribe"] = f"<{mail.way_out}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    carrier.send(EmailMessage(subject, body, to=[mail.to], headers=headers))


def _content(mail):
    if mail.kind not in WITH_A_SECRET:
        return mail.subject, mail.body
    # Whoever changes a password or an address locks the account, then kills the secrets: this one
    # is there in time to be killed, or is no longer made.
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=mail.user_id)
        if not Mail.objects.filter(pk=mail.pk).exists():
            raise Pointless("Annulé depuis la demande.")
        return _with_a_secret(user, mail)


def _with_a_secret(user, mail):
    if mail.kind == MailKind.EMAIL_CHANGE:
        return _email_change(user, mail)
    if not user.is_active or user.email != mail.to:
        raise Pointless("Compte fermé, ou adresse changée depuis la demande.")
    password, expires_at = one_time_passwords.make(user)
    return emails.one_time_password(user, password, expires_at)


def _email_change(user, mail):
    made = email_links.make(user, mail.to) if user.is_active else None
    if made is None:
        raise Pointless("Demande annulée, remplacée ou expirée.")
    return emails.email_change(*made)


def _note_failure(mail, **changes):
    # If the hold ran out and another sender has the mail, the row is that sender's to write.
    ours = Mail.objects.filter(pk=mail.pk, attempts=mail.attempts, sent_at=None)
    ours.update(taken_until=None, **changes)


def _describe(error, mail):
    """What staff read; of a mail with a secret never the text, which might quote it."""
    text = delivery.describe(error, quote=mail.kind not in WITH_A_SECRET)
    return text[: Mail._meta.get_field("last_error").max_length]
