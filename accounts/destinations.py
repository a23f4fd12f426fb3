"""Where one goes after signing in: never to another host."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def own_page(request: HttpRequest, target: str) -> str:
    """The target if it is a page of this host, else an empty string."""
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts=None, require_https=request.is_secure()
    )
    return target if is_ours else ""
