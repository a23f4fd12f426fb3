from django.core.management.base import BaseCommand

from accounts import connections, throttling
from accounts.session_store import SessionStore


class Command(BaseCommand):
    help = (
        "Efface les essais de connexion et les demandes de mot de passe de plus d'un jour, les "
        "connexions de plus de six mois et les sessions finies. À lancer chaque nuit."
    )

    def handle(self, *args, **options):
        SessionStore.clear_expired()
        self.stdout.write(f"Lignes effacées : {throttling.purge() + connections.purge()}.")
