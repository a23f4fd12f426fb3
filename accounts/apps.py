from django.apps import AppConfig
from django.core import checks

from accounts.checks import check_session_idle_minutes


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Comptes et messages"

    def ready(self):
        checks.register(check_session_idle_minutes)
