from django.apps import AppConfig
from django.core.checks import register

from documents.system_checks import check_clamd, check_libmagic


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = "Pièces justificatives"

    def ready(self):
        register(check_libmagic)
        register(check_clamd)
