from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat

from documents import purging
from families import files_to_delete


class Command(BaseCommand):
    help = (
        "Efface les fichiers des pièces remplacées ou retirées, et de celles dont la durée de"
        " conservation (types de pièces) est écoulée ; les lignes et leur examen restent. Jamais"
        " une pièce dont un dossier à examiner a besoin. À lancer chaque nuit."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="dit ce qui serait effacé, sans rien effacer"
        )

    def handle(self, *args, dry_run, **options):
        count = size = 0
        for line in purging.purge(dry_run=dry_run):
            self.stdout.write(_sentence(line.type, line.reason.label, line.count, line.size))
            count, size = count + line.count, size + line.size
        if not dry_run:
            while (row := files_to_delete.delete_next()) and row.pk is None:
                pass  # the first that fails is for the sender: a storage that is down stays down
        self.stdout.write(_sentence("À effacer" if dry_run else "Effacé", "en tout", count, size))


def _sentence(what, why, count, size):
    files = "fichier" if count < 2 else "fichiers"
    return f"{what}, {why} : {count} {files}, {filesizeformat(size)}."
