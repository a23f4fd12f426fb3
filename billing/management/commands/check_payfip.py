from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.models import PayFiPAccount
from billing.payfip import client


class Command(BaseCommand):
    help = "Demande à PayFiP qui est payé par chaque compte\u00a0: avant d'ouvrir aux familles."

    def handle(self, *args, **options):
        if not settings.PAYFIP_URL:
            raise CommandError("Aucun paiement en ligne\u00a0: PAYFIP_URL est vide.")
        accounts = PayFiPAccount.objects.select_related("establishment").order_by("pk")
        wrong = [account for account in accounts if not self._tell(account)]
        if not accounts:
            self.stdout.write("Aucun compte PayFiP.")
        if wrong:
            raise CommandError(f"Comptes à corriger\u00a0: {len(wrong)}.")

    def _tell(self, account):
        try:
            names = " / ".join(client.account_names(account.numcli))
        except (client.FunctionalFault, client.TechnicalFault) as fault:
            self.stdout.write(f"{account}\u00a0: PayFiP répond {fault}")
            return False
        self.stdout.write(f"{account} (saisie {account.saisie})\u00a0: {names}")
        return True
