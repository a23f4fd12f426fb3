"""The administration's own site; each app registers its models in its admin.py."""

from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


class Site(admin.AdminSite):
    site_title = "Administration du conservatoire"
    site_header = "Administration du conservatoire"
    index_title = "À faire"

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request, extra_context=None):
        """One door for everybody: the protections of the sign-in page hold here too."""
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('accounts:sign_in')}?{query}")
