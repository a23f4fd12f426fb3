"""« Demandes d'effacement »: the secretariat reads, the direction answers."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from families import erasures
from families.enums import ErasureState
from families.models import ErasureRequest
from tests.factories import FamilyFactory, GuardianFactory
from tests.families.homes import parent_of

LIST = reverse("admin:families_erasurerequest_changelist")


@pytest.fixture
def asked(ours):
    return erasures.ask(ours, text="Tout le foyer.", actor=parent_of(ours))


def page_of(asked):
    return reverse("admin:families_erasurerequest_change", args=[asked.pk])


def action(asked, name):
    return reverse(f"admin:families_erasurerequest_{name}", args=[asked.pk])


@pytest.fixture
def as_direction(client, director):
    client.force_login(director)
    return client


def confirmed(client, asked, **changes):
    """What the erase form posts, with the preview as the page shows it."""
    expected = client.get(page_of(asked)).context["erase_form"]["expected"].value()
    return {
        "erase-expected": expected,
        "erase-confirm": "on",
        "erase-agreed": "on",
        "erase-answer": "",
    } | changes


def state_of(asked):
    return ErasureRequest.objects.get(pk=asked.pk).state


def test_the_secretariat_reads_and_answers_nothing(client, registrar, asked):
    client.force_login(registrar)

    assert client.get(LIST).status_code == 200
    page = client.get(page_of(asked))
    assert "Tout le foyer." in page.text
    assert "La direction seule répond" in page.text
    assert action(asked, "erase") not in page.text
    for name in ("erase", "answer"):
        assert client.post(action(asked, name)).status_code == 403
    assert state_of(asked) == ErasureState.OPEN


def test_the_regie_sees_nothing_of_it(client, accountant, asked):
    client.force_login(accountant)

    assert client.get(LIST).status_code == 403
    assert client.get(page_of(asked)).status_code == 403


@pytest.mark.parametrize("key", ["abc", "999999", "9" * 30])
def test_a_request_that_does_not_exist(as_direction, key):
    page = reverse("admin:families_erasurerequest_change", args=[key])

    assert as_direction.get(page).status_code == 404


def test_the_preview_says_what_is_held_and_what_stands_in_the_way(as_direction, life, asked):
    page = as_direction.get(page_of(asked))

    assert "Factures émises" in page.text
    assert "Pourquoi rien ne peut être effacé maintenant" in page.text
    assert "Effacer ce qui peut l&#x27;être" not in page.text
    assert action(asked, "erase") not in page.text
    assert action(asked, "answer") in page.text


def test_erased_from_its_page(as_direction, ours, asked):
    response = as_direction.post(
        action(asked, "erase"), confirmed(as_direction, asked), follow=True
    )

    assert "Les données de ce foyer sont effacées." in response.text
    assert "Ce qui a été effacé" in response.text
    assert "Blaireau" not in response.text
    assert state_of(asked) == ErasureState.DONE


@pytest.mark.parametrize("missing", ["erase-confirm", "erase-agreed"])
def test_neither_without_the_tick_nor_without_the_other_guardian(as_direction, asked, missing):
    posted = confirmed(as_direction, asked)
    del posted[missing]

    response = as_direction.post(action(asked, "erase"), posted)

    assert response.status_code == 200
    assert "Erreur" in response.text
    assert state_of(asked) == ErasureState.OPEN


def test_alone_in_the_household_nobody_else_must_agree(as_direction, theirs):
    asked = erasures.ask(theirs, text="Tout.", actor=parent_of(theirs))
    posted = confirmed(as_direction, asked)
    del posted["erase-agreed"]

    as_direction.post(action(asked, "erase"), posted)

    assert state_of(asked) == ErasureState.DONE


def test_what_changed_meanwhile_is_read_again(as_direction, ours, asked):
    posted = confirmed(as_direction, asked)
    GuardianFactory(family=ours, first_name="Zoé")

    response = as_direction.post(action(asked, "erase"), posted, follow=True)

    assert "relisez la page avant d&#x27;effacer" in response.text
    assert state_of(asked) == ErasureState.OPEN


def test_a_double_click_is_said(as_direction, asked):
    posted = confirmed(as_direction, asked)
    as_direction.post(action(asked, "erase"), posted)

    response = as_direction.post(action(asked, "erase"), posted, follow=True)

    assert "vient d&#x27;être traitée" in response.text


def test_refused_with_its_reason(as_direction, asked):
    posted = {"answer-state": ErasureState.REFUSED, "answer-answer": "Louise est inscrite."}

    response = as_direction.post(action(asked, "answer"), posted, follow=True)

    assert "La réponse part à la famille." in response.text
    assert "Louise est inscrite." in response.text
    assert state_of(asked) == ErasureState.REFUSED


@pytest.mark.parametrize("state", ["", "done", "open"])
def test_only_what_is_done_here_may_be_answered(as_direction, asked, state):
    posted = {"answer-state": state, "answer-answer": "Fait."}

    assert "Erreur" in as_direction.post(action(asked, "answer"), posted).text
    assert state_of(asked) == ErasureState.OPEN


def test_an_answer_says_something(as_direction, asked):
    posted = {"answer-state": ErasureState.REFUSED, "answer-answer": " "}

    assert "Dites à la famille" in as_direction.post(action(asked, "answer"), posted).text
    assert state_of(asked) == ErasureState.OPEN


def test_actions_are_posts(as_direction, asked):
    assert as_direction.get(action(asked, "erase")).status_code == 405
    assert as_direction.get(action(asked, "answer")).status_code == 405


def test_the_list_says_which_one_is_urgent(as_direction, asked):
    assert "bientôt" not in as_direction.get(LIST).text

    ErasureRequest.objects.update(asked_at=timezone.now() - dt.timedelta(days=28))

    assert "bientôt" in as_direction.get(LIST).text


def test_one_that_came_by_letter_is_written_down(client, registrar, ours):
    client.force_login(registrar)
    add = reverse("admin:families_erasurerequest_add")
    posted = {"family": ours.pk, "text": "Lettre du 3 mai, pièce d'identité vue."}

    client.post(add, posted)

    asked = ErasureRequest.objects.get()
    assert (asked.family, asked.text, asked.asked_by) == (ours, posted["text"], registrar)
    assert erasures.other_guardians(asked) == list(ours.guardians.all())
    assert "Le secrétariat a enregistré" in Mail.objects.first().body
    assert "déjà une demande en cours" in client.post(add, posted).text
    assert ErasureRequest.objects.count() == 1


def test_two_agents_at_the_same_instant_write_one(client, registrar, asked, ours, monkeypatch):
    client.force_login(registrar)
    monkeypatch.setattr(
        "families.data_forms.ByLetterForm.clean_family", lambda form: form.cleaned_data["family"]
    )

    response = client.post(
        reverse("admin:families_erasurerequest_add"),
        {"family": ours.pk, "text": "Lettre."},
        follow=True,
    )

    assert "déjà en cours" in response.text
    assert ErasureRequest.objects.count() == 1


def test_the_home_of_the_direction_counts_those_that_wait(client, registrar, director, asked):
    index = reverse("admin:index")
    client.force_login(registrar)
    assert "demande d'effacement" not in [f.label for f in client.get(index).context["todo"]]

    client.force_login(director)
    figure = client.get(index).context["todo"][-1]

    assert (figure.number, figure.label) == (1, "demande d'effacement")
    assert len(client.get(figure.url).context["cl"].result_list) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_make_a_constant_number_of_queries(
    as_direction, asked, count, django_assert_max_num_queries
):
    for _ in range(count):
        guardian = GuardianFactory(family=FamilyFactory())
        erasures.ask(guardian.family, text="Tout.", actor=guardian.user)

    with django_assert_max_num_queries(8):
        as_direction.get(LIST)
    with django_assert_max_num_queries(70):
        as_direction.get(page_of(asked))
