"""The page of a private address: the same for a family and for a teacher."""

from django.contrib import messages
from django.shortcuts import redirect, render

from teaching.enums import Space
from teaching.timetable import feeds

NAMESPACE = {Space.FAMILY: "teaching", Space.TEACHER: "teacher"}


def show(request, space: Space):
    namespace = NAMESPACE[space]
    found = feeds.of(request.user, space)
    address = feeds.address(found) if found else ""
    context = {
        "feed": found,
        "address": address,
        "subscribe": f"webcal://{address.split('://', 1)[-1]}",
        **{name: f"{namespace}:{name}" for name in ("week", "make_feed", "revoke_feed")},
    }
    response = render(request, "teaching/timetable_feed.html", context)
    response["Cache-Control"] = "no-store"  # the address is a secret
    return response


def make(request, space: Space):
    replaced = feeds.of(request.user, space) is not None
    feeds.make(request.user, space)
    said = (
        "Une nouvelle adresse remplace l'ancienne, qui ne marche plus."
        if replaced
        else "Votre adresse est créée."
    )
    messages.success(request, said)
    return redirect(f"{NAMESPACE[space]}:feed")


def revoke(request, space: Space):
    if feeds.revoke(request.user, space):
        messages.success(request, "L'adresse ne marche plus.")
    return redirect(f"{NAMESPACE[space]}:feed")
