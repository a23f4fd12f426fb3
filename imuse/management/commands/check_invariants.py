from django.core.management.base import BaseCommand, CommandError

from imuse import invariants


class Command(BaseCommand):
    help = (
        "Vérifie ce qui doit rester vrai des données ; finit en erreur si quelque chose ne va pas."
    )

    def handle(self, *args, **options):
        count = 0
        for sentence in invariants.violations():
            self.stdout.write(sentence)
            count += 1
        if count:
            raise CommandError(f"{count} anomalie{'s' if count > 1 else ''}.")
        self.stdout.write("Tout concorde.")
