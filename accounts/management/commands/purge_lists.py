from django.core.management.base import BaseCommand

from accounts.spreadsheets import services


class Command(BaseCommand):
    help = (
        "Efface les fichiers de listes envoyés depuis plus d'un jour et jamais importés. À lancer"
        " chaque nuit."
    )

    def handle(self, *args, **options):
        self.stdout.write(f"Fichiers effacés : {services.purge()}.")
