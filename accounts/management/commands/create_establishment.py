from django.core.management.base import BaseCommand, CommandError

from accounts.models import Establishment, User


class Command(BaseCommand):
    help = (
        "Crée un établissement et y rattache des comptes : sans lui, personne ne se connecte. "
        "À lancer une fois, après createsuperuser."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="le nom que la liste « Sélectionnez le site » montre")
        parser.add_argument("--address", required=True)
        parser.add_argument("--email", required=True, help="l'adresse du service")
        parser.add_argument("--phone", required=True)
        parser.add_argument(
            "--user", action="append", default=[], help="un identifiant à rattacher (répétable)"
        )

    def handle(self, *args, name, address, email, phone, user, **options):
        users = list(User.objects.filter(username__in=user))
        if unknown := set(user) - {known.username for known in users}:
            raise CommandError(f"Identifiant inconnu : {', '.join(sorted(unknown))}.")
        establishment, _ = Establishment.objects.update_or_create(
            name=name, defaults={"address": address, "email": email, "phone": phone}
        )
        establishment.users.add(*users)
        self.stdout.write(f"« {establishment} » est prêt ; comptes rattachés : {len(users)}.")
