"""The reminders of pieces, from the desk to the mail, with and without JavaScript."""

import datetime as dt
import os
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import moment
from accounts.models import Mail
from reenrolment.enums import ReminderOutcome, Status
from reenrolment.models import PieceReminder
from tests.factories import CampaignFactory
from tests.reenrolment.reminder_cases import (
    hand_in,
    make_dossier,
    make_household,
    make_rules,
    plan,
    remind_all,
)

WIDTHS = pytest.mark.parametrize("width", [1280, 360])


@pytest.fixture
def campaign(db):
    campaign = CampaignFactory()
    _, photo = make_rules()
    claire = make_household("Martin")
    louise = make_dossier(claire)
    make_dossier(claire, first_name="Hugo")
    hand_in(photo, louise.student, refusal="Le document est trop ancien.")
    make_dossier(make_household("Benali", email="samir@example.org", first_name="Samir"))
    dubois = make_household("Dubois", email="paul@example.org", first_name="Paul")
    make_dossier(dubois, first_name="Inès", status=Status.SUBMITTED)
    make_dossier(make_household("Zola", email="", user=False, first_name="Émile"))
    return campaign


def picture(visitor, name, width):
    """Kept for whoever looks, where PICTURES says."""
    if folder := os.environ.get("PICTURES"):
        visitor.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def check(visitor, name, width):
    picture(visitor, name, width)
    assert visitor.axe() == []
    assert not visitor.overflows()


@WIDTHS
def test_from_the_list_to_the_mail(visit, registrar, campaign, width):
    visitor = visit(width=width).sign_in_as(registrar)
    page = visitor.page
    page.goto(reverse("admin:reenrolment_campaign_desk", args=[campaign.pk]))
    page.get_by_role("link", name="Rappels des pièces").click()
    page.locator("summary", has_text="Voir ces foyers").click()
    check(visitor, "reminders", width)

    page.get_by_label("Relancer le foyer Benali").uncheck()
    page.get_by_role("button", name="Relire le message").click()
    page.get_by_label("Un mot du secrétariat").fill("L'avis <2026> suffit.")
    page.get_by_role("button", name="Relire le message avec ce mot").click()
    assert "L'avis <2026> suffit." in page.locator(".launch-mail").inner_text()
    check(visitor, "message", width)
    page.get_by_label("à un moment choisi").check()
    page.get_by_role("button", name="Relancer 1 foyer").click()
    assert page.get_by_role("alert").get_by_text("Choisissez la date et l'heure.").is_visible()
    check(visitor, "refused", width)
    page.get_by_label("maintenant").check()
    page.get_by_role("button", name="Relancer 1 foyer").click()
    page.get_by_text("1 foyer à relancer, maintenant.").wait_for()
    remind_all()
    page.get_by_role("link", name="Actualiser").click()
    page.get_by_text("claire@example.org").wait_for()
    check(visitor, "progress", width)

    assert Mail.objects.get().to == "claire@example.org"
    assert PieceReminder.objects.get().lines.get().outcome == ReminderOutcome.SENT


def test_without_javascript_ticks_pages_and_cancels(visit, registrar, campaign, monkeypatch):
    monkeypatch.setattr("families.reminders.pages.ROWS", 1)
    visitor = visit(javascript=False).sign_in_as(registrar)
    page = visitor.page
    page.goto(reverse("admin:reenrolment_campaign_reminders", args=[campaign.pk]))
    page.get_by_label("déposé", exact=True).check()
    page.get_by_role("button", name="Montrer").click()
    page.get_by_label("Relancer le foyer Benali").uncheck()
    page.get_by_role("button", name="Page suivante").click()
    page.get_by_role("heading", name="3 foyers à relancer par e-mail, 2 cochés").wait_for()
    page.get_by_role("button", name="Tout décocher").click()
    page.get_by_role("heading", name="0 coché").wait_for()
    page.get_by_role("button", name="Cocher tous les foyers").click()
    page.get_by_role("button", name="Relire le message").click()
    page.get_by_role("button", name="Voir le message du foyer suivant").click()
    assert "Bonjour Paul," in page.locator(".launch-mail").inner_text()
    picture(visitor, "by-hand", 1280)  # axe needs a script
    page.get_by_label("à un moment choisi").check()
    page.get_by_label("Date et heure").fill("2027-03-20T18:00")
    page.get_by_role("button", name="Relancer 3 foyers").click()
    picture(visitor, "planned", 1280)
    page.get_by_role("button", name="Annuler cet envoi").click()
    page.get_by_text("Le rappel est annulé").wait_for()

    assert PieceReminder.objects.get().cancelled_at


@WIDTHS
def test_the_reminders_sent_and_planned_are_listed(visit, registrar, campaign, width):
    family = campaign.reenrolments.first().student.families.get()
    plan(campaign, family, actor=registrar)
    remind_all()
    tomorrow = timezone.now() + dt.timedelta(days=1)
    planned = plan(campaign, family, actor=registrar, planned_for=tomorrow)
    visitor = visit(width=width).sign_in_as(registrar)
    visitor.page.goto(reverse("admin:reenrolment_campaign_reminders", args=[campaign.pk]))
    check(visitor, "listed", width)

    assert visitor.page.get_by_text("fini, 1 foyer, 1 relancé").is_visible()
    visitor.page.get_by_role("link", name=moment(planned.planned_for)).click()
    visitor.page.get_by_role("button", name="Annuler cet envoi").wait_for()
    check(visitor, "planned", width)
