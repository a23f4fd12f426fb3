from django.core.management.base import BaseCommand

from accounts import throttling


class Command(BaseCommand):
    help = (
        "Efface les essais de connexion et les demandes de mot de passe de plus d'un jour, "
        "qui ne comptent plus. À lancer chaque nuit."
    )

    def handle(self, *args, **options):
        self.stdout.write(f"Lignes effacées : {throttling.purge()}.")
