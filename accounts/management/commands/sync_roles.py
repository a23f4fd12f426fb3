from django.core.management.base import BaseCommand

from accounts import roles


class Command(BaseCommand):
    help = "Donne à chaque groupe de l'administration ses permissions (accounts/roles.py)."

    def handle(self, *args, **options):
        roles.sync()
        self.stdout.write(f"Groupes à jour : {', '.join(roles.ROLES)}.")
