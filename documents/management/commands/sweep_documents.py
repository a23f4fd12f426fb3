from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from documents import sweeping

LIMIT = 500  # more than that is no accident of a few killed workers


class Command(BaseCommand):
    help = (
        "Supprime du stockage privé les fichiers de plus d'une heure qu'aucune ligne ne nomme, et"
        " dit les lignes dont le fichier manque ; finit alors en erreur. À lancer chaque nuit."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="dit ce qui serait supprimé, sans rien supprimer"
        )
        parser.add_argument(
            "--limit",
            type=int,
            default=LIMIT,
            metavar="N",
            help=f"ne supprime rien s'il y en a plus de N ({LIMIT})",
        )

    def handle(self, *args, dry_run, limit, **options):
        try:
            found = sweeping.sweep(limit=limit, dry_run=dry_run, on_missing=self.stdout.write)
        except sweeping.TooManyOrphans as error:
            raise CommandError(
                f"Plus de {limit} fichiers n'ont pas de ligne : rien n'est supprimé. Vérifiez que"
                " cette base est bien celle de ce stockage (une autre base, une restauration ?),"
                " puis relancez avec --limit."
            ) from error
        except sweeping.StorageDown as error:
            raise CommandError(f"Le stockage ne répond pas : {error}") from error
        count = len(found.orphans) if dry_run else found.deleted
        self.stdout.write(
            f"{'À supprimer' if dry_run else 'Supprimés'} : {count}"
            f" ({filesizeformat(found.orphan_bytes)})."
        )
        self._end_in_error(found)

    def _end_in_error(self, found):
        wrongs = [(found.missing, "fichier(s) manquant(s)"), (found.failed, "non supprimé(s)")]
        said = [f"{count} {what}" for count, what in wrongs if count]
        if said:
            raise CommandError(", ".join(said) + ".")
