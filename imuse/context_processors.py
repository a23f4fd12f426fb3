from django.conf import settings


def site(request):
    """What the layout needs on every page: the site's name and the spaces one may switch to."""
    return {
        "site_name": settings.SITE_NAME,
        "spaces": request.session.get("spaces", []) if hasattr(request, "session") else [],
    }
