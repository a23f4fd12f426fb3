"""« make bench-messages »: one message of the administration to every household of a town.

The queue's work alone, batch by batch: what the mail server then takes is `make drill`'s. Ends with
1 if a responsable has no mail, or two.
"""

import argparse
import sys
import time

from bench.environment import fresh_database, say  # isort: skip  # it starts Django

from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Mail, User
from bench.households import make_town
from bench.measures import percentile
from reenrolment.models import Campaign
from teaching.announcements import sending, services
from teaching.announcements.aiming import reach_of
from teaching.enums import AnnouncementKind, AnnouncementState
from teaching.models import Announcement
from tests.factories import PASSWORD, UserFactory
from tests.queries import count_queries


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=20_000)
    count = parser.parse_args().households
    with fresh_database():
        campaign = make_town([f"{number}@example.org" for number in range(count)])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        agent = UserFactory(username="direction", is_staff=True, is_superuser=True)
        announcement = write(campaign, agent)
        send(announcement)
        read(announcement, campaign)
        return verify(announcement, count)


def write(campaign: Campaign, agent: User) -> Announcement:
    announcement = Announcement.objects.create(
        establishment=campaign.establishment,
        school_year=campaign.previous_year,
        author=agent,
        kind=AnnouncementKind.LIFE,
        subject="Concert d'hiver",
        text="Le concert d'hiver a lieu samedi à 18 h. " * 10,
        signed="La direction",
        everyone=True,
    )
    start = time.perf_counter()
    households = reach_of(announcement).households
    say(f"« {households} foyers » se lit en {time.perf_counter() - start:.2f} s")
    return services.plan(announcement, edition=announcement.edition, actor=agent)


def send(announcement: Announcement) -> None:
    began, worked = time.perf_counter(), time.process_time()
    batches = []
    while True:
        start = time.perf_counter()
        if sending.send_next() is None:
            break
        batches.append(1000 * (time.perf_counter() - start))
    announcement.refresh_from_db()
    lasted, cpu = time.perf_counter() - began, time.process_time() - worked
    p50, p95 = percentile(batches, 50), percentile(batches, 95)
    say(
        f"{len(batches)} lots en {lasted:.1f} s, {cpu:.1f} s de processeur ; "
        f"un lot : p50 {p50:.0f} ms, p95 {p95:.0f} ms, le plus long {max(batches):.0f} ms"
    )


def read(announcement: Announcement, campaign: Campaign) -> None:
    """The page « qui l'a lu », by the agent."""
    client = Client()
    typed = {"username": "direction", "password": PASSWORD}
    site = {"establishment": campaign.establishment_id}
    client.post(reverse("accounts:sign_in"), typed | site)
    address = reverse("admin:teaching_announcement_report", args=[announcement.pk])
    queries = count_queries(client, address)
    start = time.perf_counter()
    page = client.get(address)
    lasted = time.perf_counter() - start
    say(f"« Qui l'a lu » : {lasted:.2f} s, {queries} requêtes, {len(page.content) // 1024} Ko")


def verify(announcement: Announcement, count: int) -> int:
    to = list(Mail.objects.values_list("to", flat=True))
    if announcement.state == AnnouncementState.SENT and len(to) == len(set(to)) == count:
        return 0
    say(f"{count} responsables, {len(to)} messages, {len(set(to))} adresses : il en manque.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
