from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.payfip.client import TechnicalFault
from billing.payfip.settling import poll


class Command(BaseCommand):
    help = (
        "Demande à PayFiP ce que sont devenus les paiements en ligne dont personne n'a dit la fin."
        " À lancer toutes les cinq minutes."
    )

    def handle(self, *args, **options):
        if not settings.PAYFIP_URL:
            raise CommandError("Aucun paiement en ligne\u00a0: PAYFIP_URL est vide.")
        try:
            outcomes = poll()
        except TechnicalFault as fault:
            raise CommandError(
                f"PayFiP ne répond pas\u00a0({fault})\u00a0: rien n'est perdu, relancez plus tard."
            ) from fault
        told = [f"{state} {count}" for state, count in sorted(outcomes.items())]
        self.stdout.write(f"Paiements interrogés\u00a0: {', '.join(told) or 'aucun'}.")
