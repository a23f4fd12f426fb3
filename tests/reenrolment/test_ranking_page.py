"""« Vos vœux » and the page of the draw: what a family sees of a campaign by allotment."""

import pytest
from django.urls import reverse

from reenrolment.services import allotments
from students.allotment import draw, fingerprint
from students.models import WaitingEntry
from tests.answers import words_of
from tests.factories import CampaignFactory, StudentFactory
from tests.queries import count_queries
from tests.reenrolment.conftest import make_case
from tests.reenrolment.ranking import make_ranking, settle
from tests.reenrolment.test_edit import page_data, url


@pytest.fixture
def ranking(establishment):
    return make_ranking()


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def draft(ranking, student):
    return ranking.draft(student=student)


@pytest.fixture
def deposited(ranking, student, parent):
    """Its wishes: Monday, then any."""
    return ranking.deposit(ranking.slots[0], None, student=student, actor=parent)


@pytest.fixture
def published(ranking, deposited, parent, registrar, director):
    """Against one rival, whose number is 1."""
    rival = ranking.deposit(ranking.slots[0], actor=parent)
    references = [deposited.reenrolment.reference, rival.reenrolment.reference]
    seed = next(seed for seed in "abcdefgh" if draw(seed, references)[references[1]] == 1)
    allotments.run(ranking.campaign, seed="essai", actor=registrar)
    trial = allotments.run(ranking.campaign, seed=seed, actor=registrar)
    ranking.close()
    allotments.publish(trial, actor=director)
    settle()
    return trial


def wishes_page(ranking, student):
    return reverse("reenrolment:waiting", args=[student.pk, ranking.course.pk])


def draw_page(student, name="draw"):
    return reverse(f"reenrolment:{name}", args=[student.pk])


def sent(response, *wishes):
    form = response.context["form"]
    given = {f"wish_{rank}": str(getattr(w, "pk", w)) for rank, w in enumerate(wishes, start=1)}
    return {field.html_name: "" for field in form.ranks} | {"seen": form["seen"].value()} | given


def told(slot) -> str:
    """As `words_of` reads it."""
    return " ".join(slot.within_course.split())


def stored(student):
    entries = WaitingEntry.objects.live().filter(student=student).order_by("preference")
    return [entry.slot for entry in entries]


# --- « Réinscription » --------------------------------------------------------------------------


def test_the_row_asks_to_rank_and_has_no_drop_down(home, ranking, draft, student):
    response = home.get(url(student))

    words = words_of(response)
    assert "3 horaires à classer" in words
    assert "Classer mes vœux" in words
    assert f"id_course-{draft.theory.pk}-slot_id" in response.text  # where the problem leads
    assert "<select" not in response.text.split('id="cours"')[1].split("</table>")[0]
    assert "L'heure à laquelle vous répondez ne compte pas" in words


def test_the_button_saves_the_page_and_leads_to_the_wishes(home, ranking, draft, student):
    data = page_data(home.get(url(student))) | {"comment": "Merci", "wait": ranking.course.pk}
    response = home.post(url(student), data)

    assert response.url == wishes_page(ranking, student)
    assert draft.reenrolment.comment == "Merci"


def test_a_slot_that_is_sent_all_the_same_is_refused(home, ranking, draft, student):
    name = f"course-{draft.theory.pk}-slot_id"
    data = page_data(home.get(url(student))) | {name: ranking.slots[0].pk}
    response = home.post(url(student), data)

    assert "classez vos vœux" in words_of(response)
    assert draft.choice(draft.theory).slot is None


def test_to_check_one_wish_is_needed(home, ranking, draft, student, parent):
    response = home.post(url(student), page_data(home.get(url(student))) | {"check": ""})
    response = home.get(response.url, follow=True)
    assert "Classez au moins un horaire pour" in words_of(response)

    ranking.wish(draft, ranking.slots[1], ranking.slots[0], actor=parent)
    words = words_of(home.get(reverse("reenrolment:check", args=[student.pk])))
    monday, tuesday, _ = map(told, ranking.slots)
    assert f"dans l'ordre de votre préférence : {tuesday}{monday} Voir ou changer" in words


# --- « Vos vœux » -------------------------------------------------------------------------------


def test_every_slot_may_be_ranked_full_or_not_and_any(home, ranking, draft, student):
    response = home.get(wishes_page(ranking, student))

    labels = [label for _, label in response.context["form"].fields["wish_1"].choices]
    days = [slot.within_course for slot in ranking.slots]
    assert labels == ["Aucun", *days, "N'importe quel horaire"]
    words = words_of(response)
    assert words.count("Vœu ") >= 4
    assert "Le plus petit numéro de tirage" in words
    assert "liste d'attente" not in words


def test_the_wishes_are_kept_in_their_order(home, ranking, draft, student):
    monday, tuesday, _ = ranking.slots
    response = home.get(wishes_page(ranking, student))
    response = home.post(
        wishes_page(ranking, student), sent(response, tuesday, monday, "tous"), follow=True
    )

    assert stored(student) == [tuesday, monday, None]
    assert "Vos vœux sont enregistrés." in words_of(response)


def test_after_the_closing_they_are_shown_and_change_no_more(home, ranking, deposited, student):
    page = home.get(wishes_page(ranking, student))
    ranking.close()
    response = home.get(wishes_page(ranking, student))
    assert "Les vœux sont clos" in words_of(response)
    assert "Enregistrer mes vœux" not in words_of(response)

    response = home.post(wishes_page(ranking, student), sent(page, ranking.slots[1]))
    assert "ne changent plus" in words_of(response)
    assert stored(student) == [ranking.slots[0], None]


def test_a_dossier_deposited_keeps_one_wish(home, ranking, deposited, student):
    response = home.get(wishes_page(ranking, student))
    response = home.post(wishes_page(ranking, student), sent(response, "", ""))

    assert "gardez au moins un vœu" in words_of(response)


def test_once_published_it_is_a_waiting_list(home, ranking, published, student):
    response = home.get(wishes_page(ranking, student))

    assert "Attendre une place" in words_of(response)
    assert "Votre rang : 1er sur 1" in words_of(response)


# --- The draw -----------------------------------------------------------------------------------


def test_before_the_publication_the_rule_alone(home, ranking, deposited, student, registrar):
    allotments.run(ranking.campaign, seed="secret", actor=registrar)
    response = home.get(draw_page(student))

    words = words_of(response)
    assert "à égalité, le plus petit numéro de tirage" in words
    assert "sera publiée ici" in words
    assert "secret" not in words
    assert home.get(draw_page(student, "draw_numbers")).status_code == 404


def test_nothing_shows_before_all_sit(home, ranking, deposited, student, registrar, director):
    trial = allotments.run(ranking.campaign, seed="secret", actor=registrar)
    ranking.close()
    allotments.publish(trial, actor=director)

    assert "secret" not in words_of(home.get(draw_page(student)))


def test_the_page_tells_what_was_got_and_how_to_check_it(
    home, ranking, published, deposited, student
):
    words = words_of(home.get(draw_page(student)))

    monday, tuesday, _ = map(told, ranking.slots)
    assert f"{tuesday} : votre vœu n° 2 sur 2." in words
    assert f"{monday} (complet)" in words
    assert "n'importe quel horaire (obtenu)" in words
    assert f"{monday}, rang 1 sur 1" in words
    assert f"Graine du tirage {published.seed}" in words
    assert "Numéro de tirage 2 sur 2" in words
    assert fingerprint(published.seed, deposited.reenrolment.reference)[:16] in words
    assert "1 autre graine essayée avant la publication : essai." in words


def test_all_the_numbers_can_be_checked_without_a_name(home, published, deposited, student):
    response = home.get(draw_page(student, "draw_numbers"))

    head, *lines = response.text.splitlines()
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert head == f"graine {published.seed}"
    prints = [line.split()[1] for line in lines]
    assert prints == sorted(prints)
    assert prints[1] == fingerprint(published.seed, deposited.reenrolment.reference)[:16]
    assert "R-" not in response.text


def test_a_change_by_hand_tells_its_reason(home, ranking, deposited, student, registrar, director):
    trial = allotments.run(ranking.campaign, actor=registrar)
    row = trial.allocations.get()
    allotments.change(row, ranking.slots[2], reason="Raison de santé.", actor=registrar)
    ranking.close()
    allotments.publish(trial, actor=director)
    settle()

    assert "Décision du conservatoire : Raison de santé." in words_of(home.get(draw_page(student)))


def test_a_student_without_a_part_in_it_reads_the_draw(home, published, family, ranking):
    student = make_case(StudentFactory(family=family), slot=ranking.slots[0]).student

    words = words_of(home.get(draw_page(student)))
    assert "Graine du tirage" in words
    assert "Numéro de tirage" not in words


def test_a_campaign_of_the_first_come_has_no_draw(home, student):
    CampaignFactory()

    assert home.get(draw_page(student)).status_code == 404
    assert home.get(draw_page(student, "draw_numbers")).status_code == 404


def test_somebody_else_s_student_does_not_exist(client, stranger, published, student):
    client.force_login(stranger)

    assert client.get(draw_page(student)).status_code == 404
    assert client.get(draw_page(student, "draw_numbers")).status_code == 404


def test_the_pages_are_read_in_few_queries(home, ranking, published, student):
    assert count_queries(home, draw_page(student)) == 14
    assert count_queries(home, draw_page(student, "draw_numbers")) == 9
