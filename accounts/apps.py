from django.apps import AppConfig
from django.core import checks
from django.db.backends.signals import connection_created

from accounts.checks import check_session_idle_minutes
from accounts.server_statements import plan_once


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Comptes et messages"

    def ready(self):
        checks.register(check_session_idle_minutes)
        connection_created.connect(plan_once)
