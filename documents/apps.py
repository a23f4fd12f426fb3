from django.apps import AppConfig
from django.core.checks import Tags, register

from documents.system_checks import (
    check_clamd,
    check_libmagic,
    check_s3,
    check_storage_is_private,
)


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = "Pièces justificatives"

    def ready(self):
        register(check_libmagic)
        register(check_clamd)
        register(check_s3)
        register(check_storage_is_private, Tags.security, deploy=True)
