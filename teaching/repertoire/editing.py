"""A POST of a form about a work: « Chercher » and the suggestions write nothing and keep all."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from teaching.repertoire.forms import CHOOSE, SEARCH, WorkForm


def answer(
    request: HttpRequest, form_class: type[WorkForm], write: Callable[[WorkForm], str], **kwargs
) -> tuple[WorkForm, str]:
    """The form to show again, and what `write` says that it has done; empty: nothing is written.

    What `write` refuses by ValidationError is told in the form.
    """
    if request.method != "POST":
        return form_class(**kwargs), ""
    if SEARCH in request.POST or CHOOSE in request.POST:
        return form_class.filled(request.POST, **kwargs), ""
    form = form_class(request.POST, **kwargs)
    if form.is_valid():
        try:
            return form, write(form)
        except ValidationError as error:
            form.add_error(None, error)
    return form, ""
