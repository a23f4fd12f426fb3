"""The campaign was launched on the morning when it opened; one address refuses its mail."""

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail, User
from imuse.demo.clock import Clock
from imuse.demo.town import CAMPAIGN_OPENS, Town
from reenrolment.services import launches


def launch(town: Town, clock: Clock, secretary: User) -> None:
    """Everybody has an account and his mail is in the outbox."""
    with clock.at(clock.moment(CAMPAIGN_OPENS, 7)):
        expected = launches.not_told_yet(town.campaign).count()
        launches.launch(town.campaign, actor=secretary, expected=expected)
        while launches.prepare_next():
            pass


def refuse_one() -> None:
    """Given up, so that it waits for somebody to mend the address and to send it again."""
    mail = Mail.objects.filter(kind=MailKind.LAUNCH).latest("pk")
    mail.sent_at, mail.attempts = None, mails.MAX_ATTEMPTS
    mail.last_error = "Adresse refusée (550 5.1.1 Unknown user)"
    mail.save(update_fields=["sent_at", "attempts", "last_error"])
