from collections import Counter

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents.antivirus import quarantine
from documents.antivirus.clamd import Unreachable


class Command(BaseCommand):
    help = (
        "Fait analyser par l'antivirus les pièces en quarantaine, les plus anciennes d'abord. À"
        " lancer toutes les cinq minutes\u00a0; avec --again, chaque nuit."
    )

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--again",
            action="store_true",
            help="toutes les pièces gardées, en commençant par celles jamais analysées",
        )
        which.add_argument(
            "--release",
            action="store_true",
            help="sans antivirus (CLAMD vide)\u00a0: sort les pièces de quarantaine, non analysées",
        )
        parser.add_argument(
            "--limit", type=int, default=1000, metavar="PIÈCES", help="au plus, en une fois"
        )

    def handle(self, *args, again, release, limit, **options):
        if release:
            self._release()
        elif settings.CLAMD:
            self._scan((quarantine.kept if again else quarantine.waiting)()[:limit])
        elif count := quarantine.waiting().count():
            raise CommandError(
                f"Sans antivirus (CLAMD est vide), {count} pièce(s) restent en quarantaine\u00a0:"
                " --release les en sort, non analysées."
            )

    def _release(self):
        if settings.CLAMD:
            raise CommandError("L'antivirus est réglé (CLAMD)\u00a0: qu'il analyse ces pièces.")
        self.stdout.write(f"Pièces sorties de quarantaine, non analysées : {quarantine.release()}.")

    def _scan(self, keys):
        outcomes = Counter()
        try:
            for outcome in quarantine.scan_all(list(keys)):
                outcomes[outcome] += 1
        except Unreachable as error:
            raise CommandError(
                f"L'antivirus ne répond pas ({error}). Pièces en quarantaine\u00a0:"
                f" {quarantine.waiting().count()}."
            ) from error
        self.stdout.write(f"Pièces analysées : {quarantine.tell(outcomes) or 'aucune'}.")
