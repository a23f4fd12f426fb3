"""The addresses of the pages that examine a dossier, and what they answer."""

from django.urls import reverse

from reenrolment.models import Reenrolment


def page_of(reenrolment, anchor="") -> str:
    url = reverse("admin:reenrolment_reenrolment_change", args=[reenrolment.pk])
    return f"{url}#{anchor}" if anchor else url


def action(name, reenrolment, *args) -> str:
    return reverse(f"admin:reenrolment_reenrolment_{name}", args=[reenrolment.pk, *args])


def told(client, response) -> list[str]:
    """The messages of the page that an action leads to."""
    return [str(message) for message in client.get(response.url).context["messages"]]


def status(reenrolment) -> str:
    """As the database has it now."""
    return Reenrolment.objects.get(pk=reenrolment.pk).status
