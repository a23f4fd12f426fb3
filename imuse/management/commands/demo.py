from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from imuse.demo import loading
from imuse.demo.accounts import ACCOUNTS, PASSWORD, SITE


class Command(BaseCommand):
    help = "Charge le conservatoire de démonstration, ou garde celui qui est là."

    def add_arguments(self, parser):
        parser.add_argument(
            "--reset",
            action="store_true",
            help="efface toute la base, puis recommence",
        )

    def handle(self, *args, reset, **options):
        if not settings.DEBUG:
            raise CommandError(
                "La démonstration ne se charge que si DEBUG est activé\u00a0: tout le monde connaît"
                " son mot de passe."
            )
        if reset:
            loading.unload()
        if loading.is_loaded():
            self._keep()
        elif loading.is_empty():
            loading.load()
            self.stdout.write("Le conservatoire de démonstration est prêt.")
        else:
            raise CommandError(
                "Cette base contient autre chose que la démonstration\u00a0: elle reste telle"
                " quelle. «\u00a0manage.py demo --reset\u00a0» effacerait tout."
            )
        self._tell()

    def _keep(self):
        self.stdout.write("La démonstration est déjà là\u00a0: ce que vous y avez fait est gardé.")
        if loading.keep_open():
            self.stdout.write("La période de réinscription était finie\u00a0: elle est rouverte.")
        if not loading.is_of_this_year():
            self.stdout.write(
                "Elle date d'une autre année scolaire\u00a0: «\u00a0make demo-reset\u00a0» la remet"
                " à neuf."
            )

    def _tell(self):
        rows = [("Identifiant", "Qui", "À essayer"), *ACCOUNTS]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for name, who, to_try in rows:
            self.stdout.write(f"  {name:{widths[0]}}  {who:{widths[1]}}  {to_try}")
        self.stdout.write(f"Tous ont le mot de passe {PASSWORD}, sur le site «\u00a0{SITE}\u00a0».")
