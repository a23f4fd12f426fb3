from django.apps import AppConfig
from django.contrib.admin import apps


class ImuseConfig(AppConfig):
    name = "imuse"
    verbose_name = "Extranet"
    default = True


class AdminConfig(apps.AdminConfig):
    default_site = "imuse.admin.Site"
    default = False
