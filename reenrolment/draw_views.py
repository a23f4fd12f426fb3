"""The family's page of the allotment: the rule, the draw, and how to check it."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reenrolment.draw_page import load_draw, numbers_of, published_of
from reenrolment.page import load_courses


@require_safe
def draw(request, pk):
    """Before the publication, the rule alone."""
    return render(request, "reenrolment/draw.html", {"draw": load_draw(_page(request, pk))})


@require_safe
def draw_numbers(request, pk):
    """Every number with its fingerprint, as text: what a program reads to check the draw."""
    allotment = published_of(_page(request, pk).campaign)
    if allotment is None:
        raise Http404
    lines = [f"graine {allotment.seed}", *(f"{n} {print_}" for n, print_ in numbers_of(allotment))]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


def _page(request, pk):
    page = load_courses(request, pk)
    if page.campaign is None or not page.campaign.by_allotment:
        raise Http404
    return page
