from django.core.management.base import BaseCommand

from families import data_exports, erasures, files_to_delete


class Command(BaseCommand):
    help = (
        "Efface les copies de «\u00a0Mes données\u00a0» expirées, les réponses d'effacement une"
        " fois parties et les fichiers dont plus rien ne parle. À lancer chaque nuit."
    )

    def handle(self, *args, **options):
        expired, forgotten, deleted = data_exports.expire_due(), erasures.forget_answers(), 0
        while row := files_to_delete.delete_next():
            deleted += row.pk is None
        self.stdout.write(
            f"Copies expirées : {expired}. Réponses effacées : {forgotten}."
            f" Fichiers supprimés : {deleted}."
        )
