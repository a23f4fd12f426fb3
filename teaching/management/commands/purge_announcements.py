from django.core.management.base import BaseCommand

from teaching.announcements import purging


class Command(BaseCommand):
    help = (
        "Efface, treize mois après la fin de l'année scolaire, les pièces jointes des messages du"
        " conservatoire et la liste de ceux qui les ont reçus et lus. À lancer chaque nuit."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="dit ce qui serait effacé, sans rien effacer"
        )

    def handle(self, *args, dry_run, **options):
        purged = purging.purge(dry_run=dry_run)
        self.stdout.write(
            f"{'À effacer' if dry_run else 'Effacés'} : {purged.recipients} destinataires et"
            f" {purged.files} fichiers de {purged.announcements} messages,"
            f" {purged.drafts} brouillons."
        )
