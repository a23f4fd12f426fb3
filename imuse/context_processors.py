from django.conf import settings

from imuse.navigation import Navigation


def site(request):
    """What the layout needs on every page; `navigation` works only where a template reads it."""
    return {"site_name": settings.SITE_NAME, "navigation": Navigation(request)}
