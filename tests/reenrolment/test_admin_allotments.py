"""The pages of « Répartition »: run, figures, a line changed, publication, and who may."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from reenrolment.allotment_report import View
from reenrolment.models import Allocation, Allotment
from reenrolment.services import allotments
from students.allotment import draw
from students.models import Hold
from tests.factories import CampaignFactory, EstablishmentFactory, StudentFactory
from tests.queries import count_queries
from tests.reenrolment.ranking import make_ranking, settle

CONFIRMED = {"confirm": "on"}


@pytest.fixture
def ranking(establishment):
    return make_ranking()


@pytest.fixture
def three(ranking, parent, family):
    """In the order of the draw of « graine »: Monday, Tuesday, none."""
    monday, tuesday, _ = ranking.slots
    cases = [ranking.deposit(monday, tuesday, actor=parent, family=family) for _ in range(3)]
    numbers = draw("graine", [case.reenrolment.reference for case in cases])
    return sorted(cases, key=lambda case: numbers[case.reenrolment.reference])


@pytest.fixture
def trial(ranking, three, registrar):
    return allotments.run(ranking.campaign, seed="graine", actor=registrar)


@pytest.fixture
def direction(client, director):
    client.force_login(director)
    return client


def url(name, ranking, *args):
    return reverse(f"admin:reenrolment_campaign_{name}", args=[ranking.campaign.pk, *args])


def row_of(trial, case):
    return trial.allocations.get(choice__reenrolment=case.reenrolment)


def text_of(response) -> str:
    return " ".join(response.content.decode().replace("&nbsp;", " ").split())


# --- Run ------------------------------------------------------------------------------------------


def test_a_run_leads_to_its_figures_and_is_logged(admin, ranking, three):
    response = admin.post(url("allotments", ranking), {"seed": "graine", "note": "Essai"})

    made = Allotment.objects.get()
    assert response.url == url("allotment", ranking, made.pk)
    assert (made.seed, made.note) == ("graine", "Essai")
    assert LogEntry.objects.get().change_message == "Répartition calculée\u00a0: graine graine."


def test_the_next_run_keeps_the_seed_unless_it_is_emptied(admin, ranking, trial):
    form = admin.get(url("allotments", ranking)).context["form"]
    assert form.initial == {"seed": "graine"}

    admin.post(url("allotments", ranking), {"seed": ""})
    assert Allotment.objects.first().seed not in ("", "graine")


def test_a_refusal_stands_on_the_page(admin, ranking):
    response = admin.post(url("allotments", ranking), {})

    assert "Aucun dossier déposé" in response.context["form"].non_field_errors()[0]
    assert not Allotment.objects.exists()


def test_a_campaign_of_the_first_come_has_no_such_page(admin, establishment):
    campaign = CampaignFactory()

    assert (
        admin.get(reverse("admin:reenrolment_campaign_allotments", args=[campaign.pk])).status_code
        == 404
    )
    change = admin.get(reverse("admin:reenrolment_campaign_change", args=[campaign.pk]))
    assert "Répartition</a>" not in text_of(change)


def test_the_campaign_leads_there(admin, ranking):
    change = admin.get(reverse("admin:reenrolment_campaign_change", args=[ranking.campaign.pk]))

    assert url("allotments", ranking) in text_of(change)


def test_another_site_s_campaign_does_not_exist(admin, ranking, trial):
    ranking.campaign.establishment = EstablishmentFactory(name="Annexe")
    ranking.campaign.save()

    assert admin.get(url("allotments", ranking)).status_code == 404
    assert admin.get(url("allotment", ranking, trial.pk)).status_code == 404
    line = url("allotment_line", ranking, trial.pk, trial.allocations.first().pk)
    assert admin.get(line).status_code == 404


# --- Figures --------------------------------------------------------------------------------------


def test_the_figures(admin, ranking, trial, three):
    report = admin.get(url("allotment", ranking, trial.pk)).context["report"]

    (course,) = report.courses
    assert report.total.columns == course.columns == [1, 1, 0, 0, 0, 1]
    assert (report.total.total, report.total.placed, report.total.share_of_first) == (3, 2, 33)
    slots = [(each.given, each.left, each.wanted_first) for each in report.slot_figures]
    assert slots == [(1, 0, 3), (1, 0, 0), (0, 1, 0)]


def test_the_lines_say_who_got_what_and_why(admin, ranking, trial, three):
    response = admin.get(url("allotment", ranking, trial.pk), {"voir": "tous"})

    assert [line.allocation.slot for line in response.context["lines"]] == [
        row.slot for row in trial.allocations.all()
    ]
    second = next(
        line
        for line in response.context["lines"]
        if line.allocation.choice.reenrolment == three[1].reenrolment
    )
    assert second.wishes == [
        (ranking.slots[0].within_course, "complet"),
        (ranking.slots[1].within_course, "obtenu"),
    ]


@pytest.mark.parametrize("asked", ["", "?voir=rien"])
def test_those_without_a_place_come_first(admin, ranking, trial, three, asked):
    response = admin.get(url("allotment", ranking, trial.pk) + asked)

    assert response.context["view"] == View.WITHOUT
    (line,) = response.context["lines"]
    assert line.allocation.choice.reenrolment == three[2].reenrolment


def test_what_differs_from_the_run_before(admin, ranking, trial, three, registrar):
    last = row_of(trial, three[2])
    allotments.change(last, ranking.slots[2], reason="Santé.", actor=registrar)
    again = allotments.run(ranking.campaign, seed="graine", actor=registrar)

    response = admin.get(url("allotment", ranking, again.pk), {"voir": "differents"})
    (line,) = response.context["lines"]
    assert line.allocation.choice == last.choice
    assert line.former == ranking.slots[2].within_course

    changed = admin.get(url("allotment", ranking, trial.pk), {"voir": "changes"})
    assert [line.allocation for line in changed.context["lines"]] == [last]
    assert "Santé." in text_of(changed)


def test_the_figures_take_as_many_queries_whatever_the_count(
    admin, ranking, trial, three, parent, family, registrar
):
    few = count_queries(admin, url("allotment", ranking, trial.pk) + "?voir=tous")
    for _ in range(4):
        ranking.deposit(ranking.slots[0], None, actor=parent, family=family)
    more = allotments.run(ranking.campaign, actor=registrar)
    many = count_queries(admin, url("allotment", ranking, more.pk) + "?voir=tous")

    assert many == few + 1  # the lines of the run before


# --- A line ---------------------------------------------------------------------------------------


def test_a_line_goes_to_a_free_place_and_says_why(admin, registrar, ranking, trial, three):
    row, wednesday = row_of(trial, three[2]), ranking.slots[2]
    address = url("allotment_line", ranking, trial.pk, row.pk)
    form = admin.get(address).context["form"]
    assert list(form.fields["slot"].queryset) == [wednesday]

    response = admin.post(address, {"slot": wednesday.pk, "reason": "Fratrie."})

    assert response.url == url("allotment", ranking, trial.pk)
    row.refresh_from_db()
    assert (row.slot, row.reason, row.changed_by) == (wednesday, "Fratrie.", registrar)
    assert "Fratrie" not in LogEntry.objects.get().change_message


@pytest.mark.parametrize("reason", ["", " "])
def test_a_line_without_a_reason_stays(admin, ranking, trial, three, reason):
    row = row_of(trial, three[0])
    response = admin.post(
        url("allotment_line", ranking, trial.pk, row.pk), {"slot": "", "reason": reason}
    )

    assert response.context["form"].errors["reason"]
    assert Allocation.objects.get(pk=row.pk).slot == ranking.slots[0]


def test_a_slot_without_a_place_in_the_plan_is_not_offered(admin, ranking, trial, three):
    row = row_of(trial, three[2])
    address = url("allotment_line", ranking, trial.pk, row.pk)
    response = admin.post(address, {"slot": ranking.slots[0].pk, "reason": "Santé."})

    assert response.context["form"].errors["slot"]


def test_a_line_of_another_run_does_not_exist(admin, ranking, trial, three, registrar):
    other = allotments.run(ranking.campaign, actor=registrar)
    row = row_of(trial, three[0])

    assert admin.get(url("allotment_line", ranking, other.pk, row.pk)).status_code == 404


def test_a_clash_is_told_beside_the_form(admin, ranking, trial, three, monkeypatch):
    row = row_of(trial, three[2])
    monday = ranking.slots[0]
    wednesday = ranking.slots[2]
    wednesday.weekday = monday.weekday
    wednesday.save()
    first = row_of(trial, three[0])
    allotments.change(first, None, reason="Santé.", actor=trial.made_by)
    Hold.objects.create(
        place=monday.places.get(),
        student=three[2].student,
        course=three[2].choir_course,
        until=ranking.campaign.closes_at,
    )
    response = admin.post(
        url("allotment_line", ranking, trial.pk, row.pk),
        {"slot": wednesday.pk, "reason": "Santé."},
    )
    assert "a déjà un cours à l'heure" in response.context["form"].non_field_errors()[0]


# --- Publication ----------------------------------------------------------------------------------


def test_the_direction_publishes(direction, director, ranking, trial, three):
    ranking.close()
    response = direction.post(url("allotment_publish", ranking, trial.pk), CONFIRMED)

    assert response.url == url("allotment", ranking, trial.pk)
    trial.refresh_from_db()
    assert trial.published_by == director
    page = direction.get(response.url)
    assert "Il reste 3 places à donner" in text_of(page)
    settle()
    assert "à donner" not in text_of(direction.get(response.url))
    assert "Nouveau calcul" not in text_of(direction.get(url("allotments", ranking)))


def test_without_the_box_nothing_is_published(direction, ranking, trial):
    ranking.close()
    response = direction.post(url("allotment_publish", ranking, trial.pk), {})

    assert response.context["form"].errors["confirm"]
    trial.refresh_from_db()
    assert trial.published_at is None


def test_a_refused_publication_says_why(direction, ranking, trial):
    response = direction.post(url("allotment_publish", ranking, trial.pk), CONFIRMED)

    (error,) = response.context["form"].non_field_errors()
    assert "après la clôture" in error
    assert not LogEntry.objects.exists()


def test_the_direction_of_another_site_publishes_nothing(direction, ranking, trial):
    ranking.campaign.establishment = EstablishmentFactory(name="Annexe")
    ranking.campaign.save()

    response = direction.post(url("allotment_publish", ranking, trial.pk), CONFIRMED)
    assert response.status_code == 404


def test_the_secretariat_may_not_publish(admin, ranking, trial):
    ranking.close()
    assert "La direction publie" in text_of(admin.get(url("allotment", ranking, trial.pk)))

    response = admin.post(url("allotment_publish", ranking, trial.pk), CONFIRMED)
    assert response.status_code == 403


def test_the_regie_sees_nothing_of_it(client, accountant, ranking, trial):
    client.force_login(accountant)

    assert client.get(url("allotments", ranking)).status_code == 403


# --- The mode of a campaign -----------------------------------------------------------------------


def test_the_mode_changes_no_more_once_a_family_has_begun(admin, ranking, student):
    address = reverse("admin:reenrolment_campaign_change", args=[ranking.campaign.pk])
    assert "mode" in admin.get(address).context["adminform"].form.fields

    ranking.draft(student=StudentFactory())
    assert "mode" not in admin.get(address).context["adminform"].form.fields
