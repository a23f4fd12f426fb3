import logging
import queue
import signal
from functools import partial

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils.module_loading import import_string

from accounts import mails
from accounts.delivery import Carrier

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Prépare et envoie les messages en attente ; avec --forever, continue jusqu'à son arrêt."

    def add_arguments(self, parser):
        parser.add_argument("--forever", action="store_true", help="ne s'arrête pas")
        parser.add_argument(
            "--every", type=float, default=2, metavar="SECONDES", help="pause entre deux passages"
        )

    def handle(self, *args, forever, every, **options):
        if forever:
            self._serve(every)
        else:
            for step in _steps():
                while step():
                    pass
            self.stdout.write(f"Messages envoyés : {mails.send_due()}.")

    def _serve(self, every):
        # SimpleQueue.put may be called from a signal handler; Event.set may not. The mail under
        # way is finished, the others wait in the outbox.
        stop = queue.SimpleQueue()
        former = {
            number: signal.signal(number, lambda received, frame: stop.put(received))
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            while True:
                self._turn(stop)
                try:
                    stop.get(timeout=every)
                    return
                except queue.Empty:
                    continue
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _turn(self, stop):
        """By turns what « mot de passe perdu » asked, one mail and one piece of other work.

        Until nothing is left of any: a launch may take an hour, a password asked for does not.
        """
        try:
            close_old_connections()
            with Carrier() as carrier:
                others = [partial(_or_else_nothing, step) for step in _steps()]
                steps = [mails.queue_asked, partial(mails.send_next, carrier), *others]
                while stop.empty() and any([step() for step in steps]):  # noqa: C419 -- all of them
                    pass
        except Exception:  # the database is away: nothing is lost, the next turn may find it
            logger.exception("The outbox could not be read or written")


def _steps():
    """What the other apps do here between two mails (settings.BETWEEN_MAILS)."""
    return [import_string(path) for path in settings.BETWEEN_MAILS]


def _or_else_nothing(step):
    """The fault of one app's work holds up neither the mails nor the work of the others."""
    try:
        return step()
    except Exception:
        logger.exception("%s.%s failed, and comes again", step.__module__, step.__qualname__)
        return 0
