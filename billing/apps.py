from django.apps import AppConfig
from django.core.checks import Tags, register

from billing.payfip.system_checks import check_no_test_in_production, check_url


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Facturation"

    def ready(self):
        register(check_url)
        register(check_no_test_in_production, Tags.database)
