from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.payfip.simulator.server import HOST, serve


class Command(BaseCommand):
    help = (
        "Remplace PayFiP pour la démonstration\u00a0: même service, page de paiement, aucun argent."
        " Sur cette machine seulement, et si DEBUG est activé."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8001, metavar="PORT")

    def handle(self, *args, port, **options):
        if not settings.DEBUG:
            raise CommandError(
                "Le simulateur ne se lance que si DEBUG est activé\u00a0: il dirait payé ce que"
                " personne n'a payé."
            )
        self.stdout.write(f"Simulateur PayFiP\u00a0: http://{HOST}:{port}/commandes")
        try:
            serve(port)
        except OSError as error:
            raise CommandError(
                f"Le port {port} est déjà pris\u00a0: choisissez-en un autre avec --port."
            ) from error
        except KeyboardInterrupt:
            pass
