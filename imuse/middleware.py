"""What Django does not do by itself: headers, and a refusal."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


def same_origin_resources(get_response: GetResponse) -> GetResponse:
    """No other site may embed what we serve, static files and downloads included."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def no_nul(get_response: GetResponse) -> GetResponse:
    """A NUL in the query is a 400: no link holds one, and PostgreSQL would answer by a 500."""

    def middleware(request):
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in the query")
        return get_response(request)

    return middleware


def private_pages(get_response: GetResponse) -> GetResponse:
    """Pages of somebody signed in are kept nowhere: the family computer is often shared."""

    def middleware(request):
        response = get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware
