"""The pages of the reminders of pieces: list, ticks, message, sending, cancelling."""

import datetime as dt
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from families.reminders import pages
from reenrolment.enums import ReminderOutcome, Status
from reenrolment.models import PieceReminder
from tests.factories import CampaignFactory, EstablishmentFactory
from tests.queries import count_queries
from tests.reenrolment.reminder_cases import (
    hand_in,
    make_dossier,
    make_household,
    make_rules,
    plan,
    remind_all,
)

TOO_OLD = "Le document est trop ancien."


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


@pytest.fixture
def rules(campaign):
    return make_rules()


@pytest.fixture
def family(rules):
    return make_household()


@pytest.fixture
def draft(family):
    return make_dossier(family)


@pytest.fixture
def staff(client, registrar):
    client.force_login(registrar)
    return client


def address(campaign, name="reminders", *more):
    return reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk, *more])


def shown(response):
    return [household.family.name for household in response.context["page"]]


def send(staff, campaign, *families, **data):
    keys = ",".join(str(family.pk) for family in families)
    data = {"foyers": keys, "when": "maintenant", "envoyer": "Relancer"} | data
    return staff.post(address(campaign, "reminder_message"), data)


# --- The list -------------------------------------------------------------------------------------


def test_the_list_says_who_lacks_what(staff, campaign, rules, family, draft):
    hand_in(rules[1], draft.student, refusal=TOO_OLD)
    guardian = family.guardians.get()
    guardian.user.last_login = dt.datetime(2026, 5, 3, 16, 30, tzinfo=dt.UTC)
    guardian.user.save()

    page = staff.get(address(campaign))

    assert shown(page) == ["Martin"]
    assert page.context["chosen"] == {family.pk}
    text = re.sub(r"<[^>]+>|[ \n]+", " ", page.content.decode()).replace("&nbsp;", "\xa0")
    for words in ["Louise Martin", "en cours de saisie", TOO_OLD, "3\xa0mai 2026 à 18\xa0h\xa030"]:
        assert words in text
    assert "1 foyer à relancer par e-mail, 1 coché" in text


def test_dossiers_that_the_family_cannot_complete_are_shown_on_demand(staff, campaign, rules):
    make_dossier(make_household("Dépôt"), status=Status.SUBMITTED)

    assert shown(staff.get(address(campaign))) == []
    assert shown(staff.get(address(campaign), {"etape": "depose"})) == ["Dépôt"]


def test_filters(staff, campaign, rules, family, draft, registrar):
    tax, photo = rules
    other = make_household("Benali", email="samir@example.org")
    dossier = make_dossier(other)
    hand_in(tax, other)
    hand_in(photo, dossier.student, refusal=TOO_OLD)
    plan(campaign, family, actor=registrar)
    remind_all()

    def found(**query):
        return shown(staff.get(address(campaign), query))

    assert found() == ["Benali", "Martin"]
    assert found(pieces="refusee") == ["Benali"]
    assert found(pieces="manquante") == ["Martin"]
    assert found(type=tax.pk) == ["Martin"]
    assert found(type=photo.pk, pieces="manquante") == ["Martin"]
    assert found(depuis=1) == ["Benali"]
    assert found(etape="complement") == []


@pytest.mark.parametrize(
    "query",
    [{"depuis": "0"}, {"depuis": "x"}, {"type": "999999"}, {"pieces": "x"}, {"etape": "x"}],
)
def test_a_wrong_filter_is_told_and_filters_nothing(staff, campaign, draft, query):
    page = staff.get(address(campaign), query)

    assert shown(page) == ["Martin"]
    assert page.context["form"].errors


def test_those_reminded_today_are_not_ticked(staff, campaign, draft, family, registrar):
    plan(campaign, family, actor=registrar)
    remind_all()

    page = staff.get(address(campaign))

    assert (shown(page), page.context["chosen"]) == (["Martin"], set())
    assert "aujourd'hui" in page.content.decode()


def test_who_has_no_address_is_apart_with_his_phone(staff, campaign, rules, draft):
    make_dossier(make_household("Zola", email="", user=False))

    page = staff.get(address(campaign))

    assert shown(page) == ["Martin"]
    assert [household.family.name for household in page.context["unreached"]] == ["Zola"]
    assert "sans adresse e-mail, 06 12 34 56 78" in page.content.decode()


def test_ticks_follow_from_page_to_page(staff, campaign, rules, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 2)
    families = [make_household(f"Famille {n}", email=f"f{n}@example.org") for n in range(5)]
    for family in families:
        make_dossier(family)
    first = staff.get(address(campaign))
    data = {"foyers": first.context["chosen_keys"], "montres": first.context["shown_keys"]}

    second = staff.post(address(campaign), data | {"foyer": families[1].pk, "page": 2})

    assert shown(second) == ["Famille 2", "Famille 3"]
    assert second.context["chosen"] == {family.pk for family in families[1:]}
    data = {"foyers": second.context["chosen_keys"], "montres": second.context["shown_keys"]}
    none = staff.post(address(campaign), data | {"cocher": "aucun"})
    everybody = staff.post(address(campaign), data | {"cocher": "tous"})
    assert none.context["chosen"] == set()
    assert everybody.context["chosen"] == {family.pk for family in families}


@pytest.mark.parametrize("page", ["reminders", "reminder_progress"])
def test_the_queries_do_not_grow(staff, campaign, rules, registrar, page):
    def make(numbers):
        return [make_household(f"F{n}", email=f"f{n}@example.org") for n in numbers]

    def ask(families):
        for family in families:
            make_dossier(family)
        reminder = plan(campaign, *families, actor=registrar)
        remind_all()
        more = [reminder.pk] if page == "reminder_progress" else []
        return count_queries(staff, address(campaign, page, *more))

    assert ask(make(range(2))) == ask(make(range(2, 22)))


# --- The message ----------------------------------------------------------------------------------


def test_the_message_is_shown_as_the_family_reads_it(staff, campaign, draft, family):
    page = staff.post(address(campaign, "reminder_message"), {"foyers": family.pk})

    text = page.content.decode()
    assert "Réinscriptions" in page.context["example"]["subject"]
    assert "- Avis d&#x27;imposition : pièce manquante<br>" in text
    assert "&lt;claire@example.org&gt;" in text
    assert page.context["mails"] == 1
    assert not PieceReminder.objects.exists()


def test_the_word_is_escaped(staff, campaign, draft, family):
    data = {"foyers": family.pk, "word": "<script>alert(1)</script>", "relire": "oui"}
    page = staff.post(address(campaign, "reminder_message"), data | {"when": "maintenant"})

    text = page.content.decode()
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2  # the field, the message


def test_the_message_of_the_next_household(staff, campaign, draft, family):
    other = make_household("Zola", email="emile@example.org", first_name="Émile")
    make_dossier(other)
    data = {"foyers": f"{family.pk},{other.pk}", "when": "maintenant"}

    first = staff.post(address(campaign, "reminder_message"), data)
    second = staff.post(address(campaign, "reminder_message"), data | {"exemple": other.pk})

    assert first.context["example"]["following"] == other
    assert "Bonjour Émile," in second.content.decode()
    assert second.context["example"]["following"] is None


def test_nobody_ticked_leads_back(staff, campaign, draft):
    page = staff.post(address(campaign, "reminder_message"), {"foyers": ""}, follow=True)

    assert page.request["PATH_INFO"] == address(campaign)
    assert "Cochez au moins un foyer" in page.content.decode()
    assert staff.get(address(campaign, "reminder_message")).status_code == 302


# --- Sending --------------------------------------------------------------------------------------


def test_sent_now(staff, campaign, draft, family, registrar):
    page = send(staff, campaign, family, word="Une ligne.\r\nUne autre.")

    reminder = PieceReminder.objects.get()
    assert page["Location"] == address(campaign, "reminder_progress", reminder.pk)
    assert (reminder.actor, reminder.word) == (registrar, "Une ligne.\nUne autre.")
    assert "1 foyer à relancer" in LogEntry.objects.get().change_message
    remind_all()
    shown = staff.get(page["Location"]).content.decode()
    assert "claire@example.org" in shown
    assert "en attente d'envoi" in shown


def test_sent_later_listed_and_cancelled(staff, campaign, draft, family, registrar):
    at = timezone.localtime().replace(second=0, microsecond=0) + dt.timedelta(days=3)
    send(staff, campaign, family, when="plus-tard", planned_for=f"{at:%Y-%m-%dT%H:%M}")

    reminder = PieceReminder.objects.get()
    assert reminder.planned_for == at
    assert "Annuler l'envoi du" in staff.get(address(campaign)).content.decode()
    page = staff.post(address(campaign, "reminder_cancel", reminder.pk), follow=True)
    assert "Le rappel est annulé" in page.content.decode()
    reminder.refresh_from_db()
    assert reminder.cancelled_by == registrar
    told = staff.get(address(campaign, "reminder_progress", reminder.pk))
    assert "Annulation le" in told.content.decode()
    again = staff.post(address(campaign, "reminder_cancel", reminder.pk), follow=True)
    assert "déjà annulé" in again.content.decode()


def test_the_newest_are_listed_first_and_the_oldest_left_out(
    staff, campaign, draft, family, registrar, monkeypatch
):
    monkeypatch.setattr(pages, "LAST", 2)
    for days in (2, 3, 1):
        at = timezone.now() + dt.timedelta(days=days)
        plan(campaign, family, actor=registrar, planned_for=at)

    listed = list(staff.get(address(campaign)).context["reminders"])

    assert [each.planned_for for each in listed] == sorted(
        PieceReminder.objects.values_list("planned_for", flat=True), reverse=True
    )[:2]


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"planned_for": ""}, "planned_for", "Choisissez la date et l'heure."),
        ({"planned_for": "demain"}, "planned_for", "Saisissez une date et une heure valides."),
        ({"planned_for": "2020-01-01T08:00"}, "planned_for", "Le moment choisi est passé."),
        ({"planned_for": "2098-01-01T08:00"}, "planned_for", "dans l'année qui vient"),
        ({"planned_for": "2027-03-28T02:30"}, "planned_for", "n'existe pas"),
        ({"planned_for": "2027-10-31T02:30"}, "planned_for", "a lieu deux fois"),
        ({"when": ""}, "when", "Dites quand envoyer ce message."),
        ({"when": "maintenant", "word": "a" * 501}, "word", "500"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    staff, campaign, draft, family, typed, field, said
):
    data = {"when": "plus-tard", "word": "Gardé."} | typed
    page = send(staff, campaign, family, **data)

    assert page.status_code == 200
    assert said in " ".join(page.context["form"].errors[field])
    assert page.context["form"]["word"].value() == data["word"]
    assert page.context["chosen_keys"] == str(family.pk)
    assert not PieceReminder.objects.exists()


def test_now_forgets_a_moment_half_typed(staff, campaign, draft, family):
    send(staff, campaign, family, planned_for="2027-03-28T02:30")

    assert PieceReminder.objects.count() == 1


def test_a_double_click_sends_one(staff, campaign, draft, family):
    send(staff, campaign, family)
    page = send(staff, campaign, family)

    assert "sont déjà relancés ce jour-là" in page.content.decode()
    remind_all()
    assert Mail.objects.count() == 1


def test_who_is_left_out_is_told(staff, campaign, rules, draft, family, registrar):
    other = make_household("Benali", email="samir@example.org")
    dossier = make_dossier(other)
    hand_in(rules[0], other)
    hand_in(rules[1], dossier.student)

    page = send(staff, campaign, family, other)

    page = staff.get(page["Location"]).content.decode()
    assert "1 foyer à relancer, maintenant. 1 laissé de côté" in page


def test_a_mail_that_fails_is_told(staff, campaign, draft, family, registrar):
    reminder = plan(campaign, family, actor=registrar)
    remind_all()
    Mail.objects.update(last_error="Adresse refusée (550)", attempts=1)

    page = staff.get(address(campaign, "reminder_progress", reminder.pk)).content.decode()

    assert "Nouvel essai prévu\xa0: Adresse refusée (550)" in page
    assert "message en échec" in page


def test_the_page_of_the_dossier_tells_its_reminders(staff, campaign, draft, family, registrar):
    plan(campaign, family, actor=registrar, word="Merci d'avance.")
    remind_all()

    page = staff.get(reverse("admin:reenrolment_reenrolment_change", args=[draft.pk]))

    assert "Rappel des pièces au foyer Martin" in page.content.decode()


# --- Whose ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reminders", "reminder_message"])
def test_another_sites_campaign_is_not_there(staff, name):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = CampaignFactory(establishment=annexe, terms__establishment=annexe)

    assert staff.get(address(theirs, name)).status_code == 404
    assert staff.post(address(theirs, name), {"foyers": "1"}).status_code == 404


def test_a_reminder_of_another_campaign_is_not_there(staff, campaign, draft, family, registrar):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = CampaignFactory(establishment=annexe, terms__establishment=annexe)
    reminder = PieceReminder.objects.create(
        campaign=theirs, actor=registrar, planned_for=timezone.now() + dt.timedelta(days=1)
    )

    assert staff.get(address(campaign, "reminder_progress", reminder.pk)).status_code == 404
    assert staff.post(address(campaign, "reminder_cancel", reminder.pk)).status_code == 404
    assert staff.post(address(theirs, "reminder_cancel", reminder.pk)).status_code == 404
    reminder.refresh_from_db()
    assert reminder.cancelled_at is None


def test_another_campaigns_household_is_left_out(staff, campaign, rules, draft, family):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = CampaignFactory(establishment=annexe, terms__establishment=annexe)
    stranger = make_household("Étranger", email="x@example.org")
    make_dossier(stranger, campaign=theirs)

    send(staff, campaign, family, stranger)

    (line,) = PieceReminder.objects.get().lines.all()
    assert (line.family, line.outcome) == (family, ReminderOutcome.TO_DO)


def test_without_the_right_the_pages_are_refused(client, accountant, campaign, draft, family):
    client.force_login(accountant)

    for name in ("reminders", "reminder_message"):
        assert client.get(address(campaign, name)).status_code == 403
    assert send(client, campaign, family).status_code == 403
    assert not PieceReminder.objects.exists()
