from django.apps import AppConfig


class ReenrolmentConfig(AppConfig):
    name = "reenrolment"
    verbose_name = "Réinscriptions"
