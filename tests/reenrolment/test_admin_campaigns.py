"""Campaigns and « conditions générales »: what staff may change, and when no more."""

import datetime as dt
from unittest.mock import ANY

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from reenrolment.admin.campaigns import STEPS
from reenrolment.models import Campaign, EarlyAccess, Terms
from students import waiting
from students.enums import Criterion
from tests.factories import (
    CampaignFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    StudentFactory,
    TermsFactory,
)

CAMPAIGNS = reverse("admin:reenrolment_campaign_changelist")
ADD = reverse("admin:reenrolment_campaign_add")


@pytest.fixture
def fields(establishment):
    return {
        "establishment": establishment.pk,
        "previous_year": SchoolYearFactory().pk,
        "school_year": SchoolYearFactory.coming().pk,
        "opens_at": "2099-05-03T08:00",
        "closes_at": "2099-06-11T23:59",
        "hold_minutes": 30,
        "travel_minutes": 20,
        "offer_hours": 48,
        "mode": "first_come",
        "terms": TermsFactory().pk,
        **early(),
    }


def early(*rows) -> dict:
    """The rows of « accès anticipés », each a criterion and a moment."""
    return {
        "early_accesses-TOTAL_FORMS": len(rows),
        "early_accesses-INITIAL_FORMS": 0,
        **{
            f"early_accesses-{n}-{name}": value
            for n, row in enumerate(rows)
            for name, value in zip(("criterion", "opens_at"), row, strict=True)
        },
    }


def change(row) -> str:
    return reverse(f"admin:reenrolment_{row._meta.model_name}_change", args=[row.pk])


def test_a_campaign_is_made_with_moments_of_paris(admin, fields):
    response = admin.post(ADD, fields)

    assert (response.status_code, response.url) == (302, CAMPAIGNS)
    opens_at = timezone.localtime(Campaign.objects.get().opens_at)
    assert opens_at.strftime("%d/%m/%Y %H:%M %Z") == "03/05/2099 08:00 CEST"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"closes_at": "2099-05-03T08:00"}, "La campagne doit fermer après avoir ouvert."),
        ({"hold_minutes": 4}, "Assurez-vous que cette valeur est supérieure ou égale à 5."),
        ({"hold_minutes": 241}, "Assurez-vous que cette valeur est inférieure ou égale à 240."),
        ({"opens_at": "demain"}, "Saisissez une date et une heure valides."),
        ({"opens_at": "2027-05-03T18:00:30"}, "Indiquez l'heure à la minute, sans secondes."),
        (
            {"opens_at": "2027-03-28T02:30"},
            "Le 28\u00a0mars 2027, 2\u00a0h\u00a030 n'existe pas\u00a0: cette nuit-là, les montres"
            " avancent d'une heure. Choisissez une autre heure.",
        ),
        (
            {"closes_at": "2027-10-31T02:30"},
            "Le 31\u00a0octobre 2027, 2\u00a0h\u00a030 a lieu deux fois\u00a0: cette nuit-là, les"
            " montres reculent d'une heure. Choisissez une autre heure.",
        ),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(admin, fields, changes, message):
    response = admin.post(ADD, fields | changes)

    errors = response.context["adminform"].form.errors
    assert [message] in errors.values()
    assert not Campaign.objects.exists()


def test_a_campaign_prepares_another_year_once(admin, fields):
    same = admin.post(ADD, fields | {"previous_year": fields["school_year"]})
    admin.post(ADD, fields)
    again = admin.post(ADD, fields)

    def errors(response):
        return response.context["adminform"].form.non_field_errors()

    assert errors(same) == ["La campagne prépare une autre année que celle en cours."]
    assert errors(again) == ["Cette année a déjà sa campagne."]


def test_early_accesses_are_given_with_the_dates(admin, fields):
    rows = [("school_hours", "2099-05-01T18:00"), ("residents", "2099-05-02T18:00")]

    response = admin.post(ADD, fields | early(*rows))

    assert response.status_code == 302
    found = EarlyAccess.objects.all()
    assert [(str(row), timezone.localtime(row.opens_at).hour) for row in found] == [
        ("élèves en horaires aménagés (CHAM)", 18),
        ("habitants de la commune du conservatoire", 18),
    ]


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        (
            [("residents", "2099-05-03T08:00")],
            [{"opens_at": ["L'accès anticipé doit ouvrir avant la campagne."]}],
        ),
        (
            [("residents", "2027-03-28T02:30")],
            [{"opens_at": [ANY]}],
        ),
        (
            [("residents", "2099-05-01T18:00"), ("residents", "2099-05-02T18:00")],
            [{}, {"__all__": ["Corrigez les valeurs en double ci-dessous."]}],
        ),
        (
            [("blonds", "2099-05-01T18:00")],
            [{"criterion": [ANY]}],
        ),
    ],
    ids=["not early", "missing hour", "twice", "unknown"],
)
def test_an_early_access_that_makes_no_sense_is_refused(admin, fields, rows, errors):
    response = admin.post(ADD, fields | early(*rows))

    [inline] = response.context["inline_admin_formsets"]
    assert inline.formset.errors == errors
    assert not Campaign.objects.exists()


def test_an_early_access_is_taken_back(admin, fields):
    admin.post(ADD, fields | early(("residents", "2099-05-01T18:00")))
    row = EarlyAccess.objects.get()
    rows = early(("residents", "2099-05-01T18:00"))

    admin.post(
        change(row.campaign),
        fields
        | rows
        | {
            "early_accesses-INITIAL_FORMS": 1,
            "early_accesses-0-id": row.pk,
            "early_accesses-0-DELETE": "on",
        },
    )

    assert not EarlyAccess.objects.exists()


def test_the_terms_are_those_of_the_establishment(client, superuser, fields):
    client.force_login(superuser)
    elsewhere = TermsFactory(establishment=EstablishmentFactory(name="Annexe"))

    response = client.post(ADD, fields | {"terms": elsewhere.pk})

    assert response.context["adminform"].form.errors == {
        "terms": ["Ces conditions sont celles d'un autre établissement."]
    }


def test_the_dates_of_a_campaign_under_way_may_move_but_not_its_years(admin, submitted, fields):
    campaign = submitted.campaign
    other = SchoolYearFactory(offset=2)

    admin.post(change(campaign), fields | {"school_year": other.pk})

    changed = Campaign.objects.get()
    assert changed.school_year == campaign.school_year
    assert timezone.localtime(changed.closes_at).year == 2099


def test_terms_are_written_in_the_admin(admin, fields):
    typed = {"establishment": fields["establishment"], "version": "9", "text": "Une clause."}

    response = admin.post(reverse("admin:reenrolment_terms_add"), typed)

    assert response["Location"] == reverse("admin:reenrolment_terms_changelist")
    assert Terms.objects.get(version="9").text == "Une clause."


def test_another_establishments_campaigns_and_terms_do_not_exist(admin, fields):
    annexe = EstablishmentFactory(name="Annexe")
    terms = TermsFactory(establishment=annexe)
    campaign = CampaignFactory(establishment=annexe, terms=terms)

    assert list(admin.get(CAMPAIGNS).context["cl"].result_list) == []
    assert admin.get(change(campaign)).status_code == 302  # Django's « does not exist »
    assert admin.get(change(terms)).status_code == 302
    response = admin.post(ADD, fields | {"establishment": annexe.pk})
    assert list(response.context["adminform"].form.errors) == ["establishment"]
    response = admin.post(ADD, fields | {"terms": terms.pk})
    assert list(response.context["adminform"].form.errors) == ["terms"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_makes_a_constant_number_of_queries(
    admin, registrar, count, django_assert_num_queries
):
    for number in range(count):
        site = EstablishmentFactory(name=f"Site {number}")
        registrar.establishments.add(site)
        CampaignFactory(establishment=site, terms=TermsFactory(establishment=site))

    # session, user, his sites, two of permissions, counts, rows
    with django_assert_num_queries(8):
        response = admin.get(CAMPAIGNS, {"site": "tous"})

    assert len(response.context["cl"].result_list) == count


def test_the_list_says_the_state_and_the_number_of_dossiers(admin, submitted):
    (campaign,) = admin.get(CAMPAIGNS).context["cl"].result_list
    now, day = timezone.now(), dt.timedelta(days=1)

    assert campaign.deposited == 1
    for opens_at, closes_at, state in [
        (now - day, now + day, "ouverte"),
        (now + day, now + 2 * day, "à venir"),
        (now - 2 * day, now - day, "close"),
    ]:
        Campaign.objects.update(opens_at=opens_at, closes_at=closes_at)
        assert f">{state}</td>" in admin.get(CAMPAIGNS).content.decode()


def test_a_campaign_leads_to_its_dossiers_and_its_pieces(admin, submitted):
    campaign = submitted.campaign
    text = admin.get(change(campaign)).content.decode()
    dossiers = reverse("admin:reenrolment_reenrolment_changelist")
    rules = reverse("admin:documents_piecerule_changelist")

    links = [
        f"{dossiers}?campagne={campaign.pk}",
        f"{rules}?establishment__id__exact={campaign.establishment_id}"
        f"&school_year__id__exact={campaign.school_year_id}",
    ]
    for link in links:
        assert f'href="{link.replace("&", "&amp;")}"' in text
        assert admin.get(link).status_code == 200


def test_a_version_of_the_terms_may_change_until_a_family_accepts_it(admin, case, parent):
    terms = case.campaign.terms
    data = {"establishment": terms.establishment_id, "version": "1", "text": "Autre texte."}
    admin.post(change(terms), data)
    assert Terms.objects.get().text == "Autre texte."
    case.fill_in()
    case.submit(parent)

    response = admin.post(change(terms), data | {"text": "Trop tard."})

    assert response.status_code == 403
    assert Terms.objects.get().text == "Autre texte."
    assert admin.get(change(terms)).status_code == 200


def test_nothing_is_deleted(client, director, submitted):
    client.force_login(director)

    for row in (submitted.campaign, submitted.terms):
        url = reverse(f"admin:reenrolment_{row._meta.model_name}_delete", args=[row.pk])
        assert client.post(url, {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [submitted.campaign.pk]}
    client.post(CAMPAIGNS, bulk | {"post": "yes"})
    assert Campaign.objects.count() == 1


def test_the_regie_has_no_campaigns(client, accountant):
    client.force_login(accountant)

    assert client.get(CAMPAIGNS).status_code == 403


# --- The order of the waiting lists -------------------------------------------------------------


def criteria_of(campaign):
    return list(campaign.waiting_rule.criteria)


def test_there_is_a_step_for_each_criterion():
    assert len(STEPS) == len(Criterion)


def test_the_order_is_chosen_step_by_step_and_logged(admin, fields):
    admin.post(ADD, fields | {"criterion_1": "resident", "criterion_3": "enrolled"})

    campaign = Campaign.objects.get()
    assert criteria_of(campaign) == [Criterion.RESIDENT, Criterion.ENROLLED]
    assert [log.get_change_message() for log in LogEntry.objects.order_by("pk")] == [
        "Ordre de la liste d'attente\u00a0: habitants des communes du conservatoire, "
        "élèves déjà inscrits cette année dans la discipline, ordre des demandes.",
        "Ajout.",
    ]


def test_the_order_is_changed_and_may_be_that_of_the_requests_alone(admin, fields):
    admin.post(ADD, fields | {"criterion_1": "resident", "criterion_2": "enrolled"})
    campaign = Campaign.objects.get()
    form = admin.get(change(campaign)).context["adminform"].form
    assert [form.initial[step] for step in STEPS[:2]] == ["resident", "enrolled"]

    admin.post(change(campaign), fields | {"criterion_1": "enrolled", "criterion_2": "resident"})
    assert criteria_of(campaign) == [Criterion.ENROLLED, Criterion.RESIDENT]

    admin.post(change(campaign), fields)
    assert criteria_of(campaign) == []


def test_what_does_not_change_the_order_logs_none(admin, fields):
    admin.post(ADD, fields | {"criterion_1": "resident"})
    campaign = Campaign.objects.get()
    before = list(campaign.waiting_criteria.values())
    LogEntry.objects.all().delete()

    admin.post(change(campaign), fields | {"criterion_1": "resident", "offer_hours": 24})

    campaign.refresh_from_db()
    assert (campaign.offer_hours, list(campaign.waiting_criteria.values())) == (24, before)
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"criterion_1": "sibling", "criterion_3": "sibling"}, ["criterion_1", "criterion_3"]),
        ({"criterion_2": "rich"}, ["criterion_2"]),
        ({"offer_hours": 0}, ["offer_hours"]),
        ({"offer_hours": 337}, ["offer_hours"]),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(admin, fields, typed, errors):
    response = admin.post(ADD, fields | typed)

    assert list(response.context["adminform"].form.errors) == errors
    assert not Campaign.objects.exists()


def test_the_page_warns_that_ranks_would_change_and_tells_whose(admin, case):
    url = change(case.campaign)
    assert "change leurs rangs." in admin.get(url).content.decode()
    for _ in range(2):
        student = StudentFactory()
        waiting.set_wishes(student, case.slot.course, [case.slot, None], actor=None)

    assert "En ce moment, 2 élèves attendent une place." in admin.get(url).content.decode()
