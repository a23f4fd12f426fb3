"""« Mes données »: the page, the copy asked for and downloaded, by whom."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from families import data_exports, erasures
from families.enums import ErasureState, ExportState
from families.models import DataExport, FileToDelete
from tests.families.homes import add_guardian, parent_of
from tests.queries import FAMILY_PAGE, count_queries

PAGE = reverse("families:my_data")
ASK = reverse("families:ask_export")


@pytest.fixture
def parent(ours, client):
    """Claire, signed in."""
    client.force_login(parent_of(ours))
    return parent_of(ours)


@pytest.fixture
def export(ours, parent):
    """Ready to be downloaded."""
    export = data_exports.ask(ours, actor=parent)
    data_exports.prepare_next()
    export.refresh_from_db()
    return export


def address(export):
    return reverse("families:download_export", args=[export.pk])


def text(client):
    return " ".join(client.get(PAGE).text.split())


def test_the_page_says_what_is_kept_and_where_to_ask(client, parent):
    page = text(client)

    assert "Demander une copie de mes données" in page
    assert "Pièces justificatives" in page
    assert reverse("families:ask_erasure") in page


def test_it_is_named_where_a_family_looks(client, parent):
    client.get(reverse("imuse:enter"))

    assert client.get(reverse("families:identity")).text.count(PAGE) == 2  # the page, the footer
    assert PAGE in client.get(reverse("imuse:home")).text


def test_the_footer_names_it_to_no_other(client, teacher, registrar):
    for user in (None, teacher.user, registrar):
        if user:
            client.force_login(user)
            client.get(reverse("imuse:enter"))
        assert PAGE not in client.get(reverse("imuse:accessibility")).text


def test_a_double_click_asks_once(client, parent):
    for _ in range(2):
        response = client.post(ASK, follow=True)

    assert DataExport.objects.count() == 1
    assert "Votre copie est en préparation." in response.text
    assert "Actualiser la page" in response.text
    assert "Demander une copie" not in response.text


def test_too_many_is_said(client, ours, parent):
    now = timezone.now()
    for _ in range(data_exports.PER_DAY):
        DataExport.objects.create(
            family=ours, asked_by=parent, asked_at=now, due_at=now, state=ExportState.FAILED
        )

    assert "réessayez demain" in client.post(ASK, follow=True).text
    assert "n'a pas pu être préparée" in text(client)


def test_ready_it_is_downloaded_as_a_file_that_can_do_nothing(client, export):
    assert address(export) in text(client)

    response = client.get(address(export))

    content = b"".join(response.streaming_content)
    assert content[:2] == b"PK"
    day = timezone.localdate()
    wanted = {
        "Content-Type": "application/zip",
        "Content-Length": str(len(content)),
        "Content-Disposition": f'attachment; filename="mes-donnees-{day}.zip"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    assert {name: response[name] for name in wanted} == wanted


@pytest.mark.parametrize("who", ["second", "other", "stranger", "registrar", "director"])
def test_it_is_for_whoever_asked_alone(client, ours, theirs, child, export, request, who):
    reader = {"second": ours.guardians.last().user, "other": parent_of(theirs)}.get(who)
    client.force_login(reader or request.getfixturevalue(who))

    assert client.get(address(export)).status_code == 404


def test_who_left_the_household_reads_it_no_more(client, ours, theirs, export):
    ours.guardians.filter(user=parent_of(ours)).update(family=theirs)

    assert client.get(address(export)).status_code == 404


@pytest.mark.parametrize("state", ["expired", "over", "waiting"])
def test_it_is_downloaded_while_it_is_there(client, export, state):
    changes = {
        "expired": {"state": ExportState.EXPIRED, "file": ""},
        "over": {"expires_at": timezone.now()},  # the nightly command has not come by
        "waiting": {"state": ExportState.WAITING, "file": ""},
    }[state]
    DataExport.objects.update(**changes)

    assert client.get(address(export)).status_code == 404
    assert address(export) not in text(client)


def test_a_storage_that_is_down_is_said_calmly(client, export, broken_private, caplog):
    response = client.get(address(export))

    assert response.status_code == 503
    assert "Copie indisponible pour le moment" in response.text
    assert "Content-Disposition" not in response


def test_asking_is_a_post(client, parent):
    assert client.get(ASK).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_makes_few_queries(client, ours, parent, director, count):
    for number in range(count):
        at = timezone.now() - dt.timedelta(days=number)
        DataExport.objects.create(
            family=ours, asked_by=parent, asked_at=at, due_at=at, state=ExportState.FAILED
        )
        request = erasures.ask(ours, text="Tout.", actor=parent)
        erasures.answer(request, state=ErasureState.REFUSED, answer="Non.", actor=director)

    assert count_queries(client, PAGE) <= FAMILY_PAGE
    assert not FileToDelete.objects.exists()


# --- The request of erasure ---------------------------------------------------------------------

ERASE = reverse("families:ask_erasure")


def test_a_request_is_acknowledged_and_shown(client, ours, parent):
    response = client.post(ERASE, {"text": "Tout le foyer."}, follow=True)

    assert "Votre demande est enregistrée." in response.text
    assert "Tout le foyer." in response.text
    assert reverse("families:ask_erasure") not in response.text


def test_a_second_one_is_refused_with_a_sentence(client, ours, parent):
    client.post(ERASE, {"text": "Tout."})

    response = client.post(ERASE, {"text": "Tout, j'ai dit."})

    assert "déjà en cours" in response.text
    assert "Tout, j&#x27;ai dit." in response.text  # what was typed is kept
    assert ours.erasure_requests.count() == 1


def test_a_question_and_its_error_are_told_without_a_colon_between(client, ours, parent):
    page = client.post(ERASE, {"text": ""}).text

    assert "pour qui&nbsp;? Dites ce que" in page or "pour qui\u00a0? Dites ce que" in page


@pytest.mark.parametrize("typed", ["", "   ", "x" * 2001])
def test_nothing_or_too_much_is_refused(client, ours, parent, typed):
    response = client.post(ERASE, {"text": typed})

    assert response.status_code == 200
    assert "Erreur" in response.text
    assert not ours.erasure_requests.exists()


def test_the_other_guardian_knows_of_it_but_not_its_words(client, ours, parent):
    erasures.ask(ours, text="Sans Paul.", actor=parent)
    client.force_login(ours.guardians.last().user)

    page = text(client)

    assert "L'autre responsable l'a faite" in page
    assert "Sans Paul." not in page


def test_the_answer_is_shown(client, ours, parent, director):
    request = erasures.ask(ours, text="Tout.", actor=parent)
    erasures.answer(
        request, state=ErasureState.REFUSED, answer="Louise est inscrite.", actor=director
    )

    page = text(client)

    assert "Refusée" in page
    assert "Louise est inscrite." in page


def test_nobody_elses_household_shows(client, ours, theirs, child, parent):
    erasures.ask(theirs, text="Tout.", actor=parent_of(theirs))
    add_guardian(theirs, "Zoé")

    assert "Demande reçue" not in text(client)
