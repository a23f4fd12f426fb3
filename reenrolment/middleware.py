"""For whom an agent fills in a dossier at this moment."""

from reenrolment.services import assisting

SESSION_KEY = "assisting"


def acting_for(get_response):
    """`request.acting_for`: the AssistedSession open in this browser, else None.

    reenrolment.page.load_page alone reads it: no other page opens by it. It ends at sign-out.
    """

    def middleware(request):
        key = request.session.get(SESSION_KEY) if request.user.is_authenticated else None
        request.acting_for = key and assisting.current(key, actor=request.user)
        response = get_response(request)
        if request.acting_for and not request.user.is_authenticated:
            assisting.end(request.acting_for)
        return response

    return middleware
