"""What the administration reads of a household's accounts."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.authority import may_act_on
from accounts.mails import MAX_ATTEMPTS
from accounts.models import User
from families.models import Family, Guardian, Invitation


class AccountState(StrEnum):
    NO_EMAIL = "no_email"
    NO_ACCOUNT = "no_account"
    NEVER_USED = "never_used"
    INVITED = "invited"
    USED = "used"
    CLOSED = "closed"


@dataclass(frozen=True)
class AccountLine:
    """A responsable, his account, and what `reader`, an agent, may do of it."""

    guardian: Guardian
    invitation: Invitation | None  # the last one, with its mail
    reader: User

    @property
    def state(self) -> AccountState:
        user = self.guardian.user
        if user is None:
            return AccountState.NO_ACCOUNT if self.guardian.email else AccountState.NO_EMAIL
        if not user.is_active:
            return AccountState.CLOSED
        if user.last_login:
            return AccountState.USED
        return AccountState.INVITED if self.invitation else AccountState.NEVER_USED

    @property
    def is_above(self) -> bool:
        user = self.guardian.user
        return user is not None and not may_act_on(user, actor=self.reader)

    @property
    def can_invite(self) -> bool:
        blocked = {AccountState.NO_EMAIL, AccountState.CLOSED}
        return bool(self.guardian.email) and self.state not in blocked and not self.is_above

    @property
    def can_close(self) -> bool:
        user = self.guardian.user
        return user is not None and user.is_active and not self.is_above and user != self.reader

    @property
    def can_reopen(self) -> bool:
        return self.state == AccountState.CLOSED and not self.is_above

    @property
    def mail_failed(self) -> bool:
        mail = self.invitation and self.invitation.mail
        return bool(mail) and mail.sent_at is None and mail.attempts >= MAX_ATTEMPTS


def account_lines(family: Family, *, reader: User) -> list[AccountLine]:
    """One line for each responsable. Two queries."""
    guardians = family.guardians.select_related("user")
    latest = {}
    invitations = Invitation.objects.filter(guardian__family=family).select_related("mail")
    for invitation in invitations.order_by("pk"):
        latest[invitation.guardian_id] = invitation
    return [AccountLine(guardian, latest.get(guardian.pk), reader) for guardian in guardians]
