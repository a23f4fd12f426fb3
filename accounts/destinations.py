"""Where one goes after signing in: never to another host."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def own_page(request: HttpRequest, target: str) -> str:
    """The target if it is a page of this host, else an empty string."""
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts=None, require_https=request.is_secure()
    )
    return target if is_ours else ""


def page_left(request: HttpRequest) -> str:
    """The page whose button or form sent this request; "" if the browser does not say."""
    host = f"{request.scheme}://{request.get_host()}"
    return own_page(request, request.headers.get("Referer", "").removeprefix(host))
