from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor
from accounts.models import User


class Command(BaseCommand):
    help = (
        "Retire la validation en deux étapes d'un compte\u00a0: pour la direction, quand elle a"
        " perdu son téléphone et ses codes de secours."
    )

    def add_arguments(self, parser):
        parser.add_argument("identifiant")

    def handle(self, *args, identifiant, **options):
        user = User.objects.filter(username=User.normalize_username(identifiant)).first()
        if user is None:
            raise CommandError(f"Aucun compte n'a l'identifiant «\u00a0{identifiant}\u00a0».")
        if not second_factor.remove(user):
            raise CommandError(f"{user}\u00a0: pas de validation en deux étapes.")
        self.stdout.write(f"{user}\u00a0: la validation en deux étapes est retirée.")
