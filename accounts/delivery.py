"""How a mail is handed to the mail server, and what its refusals mean."""

import contextlib
import re
import smtplib

from django.core import mail
from django.core.mail.backends import smtp

MAILS_PER_CONNECTION = 100
# Once greeted, a server has this long for each answer: it may read the whole text before its
# « 250 », and a mail left too soon would be sent again. Opening has EMAIL_TIMEOUT, shorter.
ANSWER_SECONDS = 120


class Carrier:
    """Carries mails one after the other over one connection; a context, which closes it.

    A connection serves `MAILS_PER_CONNECTION` mails, and none after a fault. With another backend
    than SMTP (files, memory) each mail has its own, as Django does it.
    """

    def __init__(self):
        self._open = None
        self._carried = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._close()

    def send(self, message: mail.EmailMessage) -> None:
        """Raises what the backend raises: smtplib.SMTPException, OSError…"""
        message.connection = self._connection()
        try:
            message.send()
        except BaseException:  # in the middle of a conversation: nothing more to say to the server
            self._drop()
            raise
        self._carried += 1
        if self._carried >= MAILS_PER_CONNECTION:
            self._close()

    def _connection(self):
        if self._open and not self._answers():
            self._drop()
        if self._open:
            return self._open
        connection = mail.get_connection()
        if isinstance(connection, smtp.EmailBackend):
            connection.open()
            connection.connection.sock.settimeout(ANSWER_SECONDS)
            self._open, self._carried = connection, 0
        return connection

    def _answers(self):
        """The server may have closed meanwhile: better known before the next mail than by it."""
        try:
            code, _ = self._open.connection.noop()
        except (smtplib.SMTPException, OSError):
            return False
        return code == 250

    def _close(self):
        if self._open:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._open.close()
            self._drop()

    def _drop(self):
        if self._open and self._open.connection:
            self._open.connection.close()
            self._open.connection = None
        self._open = None


def is_final(error: Exception) -> bool:
    """Does the server say that the address itself is wrong? Then there is no use in insisting.

    RFC 3463, « 5.1.x ». Another « 5xx » may be about the sender, the hour or a setting to mend
    (« relaying denied », a full mailbox, a list of bad senders): it is tried again as a « 4xx ».
    """
    code, text = _answer_to_the_address(error)
    return code >= 500 and re.match(r"5\.1\.\d", text) is not None


def describe(error: Exception, *, quote: bool = True) -> str:
    """What the staff reads, in French; the server's own words only if `quote`."""
    code, text = _answer_to_the_address(error)
    if code:
        name = "Adresse refusée" if code >= 500 else "Adresse refusée pour le moment"
    elif isinstance(error, smtplib.SMTPResponseException):
        name = "Refus du serveur de messagerie"
        code, text = error.smtp_code, _one_line(error.smtp_error)
    else:  # smtplib's exceptions are OSErrors too
        unreachable = isinstance(error, OSError)
        name = "Serveur de messagerie injoignable" if unreachable else "Envoi impossible"
        code, text = type(error).__name__, str(error)
    return f"{name} ({code} {text})" if quote and text else f"{name} ({code})"


def _answer_to_the_address(error):
    """Code and text of the server's answer, (0, "") for any other fault."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        for code, text in error.recipients.values():
            return code, _one_line(text)
    return 0, ""


def _one_line(answer):
    """Whatever bytes a server may send."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(text.split())
