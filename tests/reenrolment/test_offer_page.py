"""« Une place vous est proposée »: the page that the mail opens, before and after the answer."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import moment
from accounts.enums import MailKind
from accounts.models import Mail
from reenrolment.models import Campaign
from reenrolment.services import submission, waiting
from students import services as students
from students import waiting as lists
from students.enums import WaitingState
from students.free_places import free_expired_holds
from students.models import Enrolment, Hold, WaitingEntry
from tests.answers import words_of
from tests.factories import (
    CustodyFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    SlotFactory,
)
from tests.queries import FAMILY_PAGE, count_queries
from tests.reenrolment.test_edit import url
from tests.reenrolment.waiting_cases import offer, wait_for


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def offered(case, thursday) -> WaitingEntry:
    """Of a draft: Thursday's place is offered; Monday's is wished for too, and less."""
    case.fill_in_without_slot()
    wait_for(case, thursday, case.slot)
    return offer(case, thursday)


@pytest.fixture
def seated(case, parent) -> WaitingEntry:
    """Of a dossier deposited, with its seat on Monday: Thursday's place is offered."""
    case.fill_in()
    case.submit(parent)
    better = SlotFactory(course=case.slot.course, weekday=4, group="B", room="Salle Ravel")
    students.claim(
        GuardianFactory().family.students.create(
            last_name="Petit", first_name="Rose", birth_date=dt.date(2017, 1, 1)
        ),
        better,
        cycle="c1",
    )
    wait_for(case, better)
    return offer(case, better)


def page_of(entry):
    return reverse("reenrolment:offer", args=[entry.student_id, entry.pk])


def let_end(entry):
    Hold.objects.filter(entry=entry).update(until=timezone.now())


def state_of(entry):
    return WaitingEntry.objects.get(pk=entry.pk).state


class TestBeforeTheAnswer:
    def test_the_mail_leads_here(self, home, offered):
        [mail] = Mail.objects.filter(kind=MailKind.PLACE_OFFERED)

        [path] = re.findall(r"http://127\.0\.0\.1:8000(/\S+)", mail.body)

        assert path == page_of(offered)
        assert "Une place vous est proposée" in words_of(home.get(path))

    def test_says_what_is_offered_and_what_follows(self, home, seated, teacher):
        slot = seated.hold.place.slot
        type(slot).objects.filter(pk=slot.pk).update(teacher=teacher)

        words = words_of(home.get(page_of(seated)))

        assert "Jeudi, 18 h 30 à 19 h 30" in words
        assert "Salle Salle Ravel" in words
        assert f"Enseignant {teacher}" in words
        assert "La place actuelle de Louise, A – LUNDI – 18 h 30 à 19 h 30, est rendue." in words
        assert "À répondre avant le" in words

    def test_says_which_wishes_end_and_which_go_on(self, home, case, thursday):
        friday = SlotFactory(course=case.slot.course, weekday=5, group="C", places=0)
        wait_for(case, friday, thursday, case.slot)
        entry = offer(case, thursday)

        words = words_of(home.get(page_of(entry)))

        assert "Le vœu « A – LUNDI – 18 h 30 à 19 h 30 » prend fin" in words
        assert "Le vœu préféré « C – VENDREDI – 18 h 30 à 19 h 30 » reste en attente" in words

    def test_looking_answers_nothing(self, home, offered):
        home.get(page_of(offered))
        home.post(page_of(offered))

        assert state_of(offered) == WaitingState.OFFERED

    @pytest.mark.parametrize("count", [1, 4])
    def test_its_queries_are_constant(self, home, case, thursday, count):
        more = SlotFactory.create_batch(count, course=case.slot.course, weekday=6, places=0)
        wait_for(case, thursday, *more)

        assert count_queries(home, page_of(offer(case, thursday))) <= FAMILY_PAGE

    def test_accueil_says_it_first(self, home, offered):
        task, *_ = home.get(reverse("imuse:home")).context["tasks"]

        assert task.title == (f"Une place est proposée à Louise\u00a0: {offered.hold.place.slot}")
        assert (task.state, task.url) == ("to_do", page_of(offered))
        assert task.hint.startswith("À accepter ou à refuser avant le ")

    @pytest.mark.parametrize("how", ["over", "declined"])
    def test_accueil_says_no_more_of_what_is_over(self, home, offered, parent, how):
        if how == "over":
            let_end(offered)
        else:
            lists.decline(offered, actor=parent)

        tasks = home.get(reverse("imuse:home")).context["tasks"]

        assert not [task for task in tasks if "place" in task.title]


class TestAccepting:
    def test_of_a_draft_picks_the_slot_and_says_what_is_left_to_do(self, home, case, offered):
        slot = offered.hold.place.slot

        response = home.post(page_of(offered), {"accept": ""}, follow=True)

        assert response.redirect_chain == [(page_of(offered), 302)]
        assert case.choice(case.theory).slot == slot
        assert not WaitingEntry.objects.live().exists(), "Monday was liked less"
        held = Hold.objects.get(student=case.student)
        assert (held.place.slot, held.entry) == (slot, None)
        words = words_of(response)
        assert "Place obtenue le" in words
        assert "Elle est gardée jusqu'au" in words
        assert "Finir la réinscription" in words
        [mail] = Mail.objects.filter(kind=MailKind.PLACE_ACCEPTED)
        assert "Il reste à le valider avant cette date" in mail.body
        page = words_of(home.get(url(case.student)))
        until = moment(held.until).replace("\u00a0", " ")
        assert f"Place réservée pour vous jusqu'au {until}" in page, "the hour is of another day"

    def test_until_then_the_week_says_that_it_is_only_offered(self, home, case, offered):
        words = words_of(home.get(url(case.student)))

        assert f"{offered.course} B (proposé)" in words
        home.post(page_of(offered), {"accept": ""})
        assert f"{offered.course} B (réservé)" in words_of(home.get(url(case.student)))

    def test_of_a_dossier_deposited_moves_the_seat(self, home, case, seated):
        slot = seated.hold.place.slot

        response = home.post(page_of(seated), {"accept": ""}, follow=True)

        enrolment = Enrolment.objects.get(student=case.student, course=slot.course)
        assert enrolment.slot == slot
        assert case.slot.places.filter(enrolment=None).count() == 1
        assert "Vous n'avez rien d'autre à faire." in words_of(response)
        assert str(slot) in home.get(url(case.student)).text

    def test_twice_is_once(self, home, case, seated):
        for _ in range(2):
            response = home.post(page_of(seated), {"accept": ""}, follow=True)

        assert "Place obtenue le" in words_of(response)
        assert Mail.objects.filter(kind=MailKind.PLACE_ACCEPTED).count() == 1

    def test_after_the_other_parents_refusal_leads_to_the_truth(self, client, home, seated):
        father = GuardianFactory(family=FamilyFactory(name="Durand"))
        CustodyFactory(student=seated.student, family=father.family, rank=2)
        home.post(page_of(seated), {"decline": ""})
        client.force_login(father.user)

        response = client.post(page_of(seated), {"accept": ""}, follow=True)

        assert "Place refusée le" in words_of(response)
        assert state_of(seated) == WaitingState.DECLINED

    def test_too_late_says_so_and_the_way_back(self, home, case, seated):
        let_end(seated)

        response = home.post(page_of(seated), {"accept": ""}, follow=True)

        words = words_of(response)
        assert "Le délai pour répondre est passé" in words
        assert "au bout de la liste" in words
        assert "Accepter la place" not in words
        assert (
            Enrolment.objects.live().get(student=case.student, course=case.slot.course).slot
            == case.slot
        )

    def test_once_the_next_family_has_it(self, home, seated):
        let_end(seated)
        free_expired_holds(seated.slot)

        response = home.get(page_of(seated))

        assert state_of(seated) == WaitingState.EXPIRED
        assert "Le délai pour répondre est passé" in words_of(response)

    def test_a_clash_is_told_with_what_to_do_and_the_offer_stays(self, home, case, seated):
        other = SlotFactory(course__coming=True, course__name="Piano", weekday=4)
        Hold.objects.filter(entry=seated).update(until=timezone.now() + dt.timedelta(hours=48))
        enrolment = students.enrol_without_place(case.student, other.course, cycle="c1")
        Enrolment.objects.filter(pk=enrolment.pk).update(place=other.places.get())

        response = home.post(page_of(seated), {"accept": ""})

        assert response.status_code == 200
        words = words_of(response)
        assert "en même temps que « Piano A – JEUDI" in words
        assert "changez d'abord l'autre cours" in words
        assert "Accepter la place" in words
        assert state_of(seated) == WaitingState.OFFERED

    def test_of_a_draft_once_the_campaign_is_closed(self, home, case, offered):
        Campaign.objects.update(closes_at=timezone.now())

        for response in (
            home.get(page_of(offered)),
            home.post(page_of(offered), {"accept": ""}, follow=True),
        ):
            words = words_of(response)
            assert "ne peut plus être acceptée en ligne" in words
            assert case.campaign.establishment.phone in words
        assert state_of(offered) == WaitingState.OFFERED


class TestDeclining:
    def test_ends_the_wish_and_keeps_the_seat(self, home, case, seated):
        response = home.post(page_of(seated), {"decline": ""}, follow=True)

        assert state_of(seated) == WaitingState.DECLINED
        assert "Place refusée le" in words_of(response)
        assert not Hold.objects.exists()
        assert (
            Enrolment.objects.live().get(student=case.student, course=case.slot.course).slot
            == case.slot
        )

    def test_after_the_others_acceptance_leads_to_the_truth(self, home, seated, parent):
        waiting.accept(seated, actor=parent)

        response = home.post(page_of(seated), {"decline": ""}, follow=True)

        assert "Place obtenue le" in words_of(response)
        assert state_of(seated) == WaitingState.ACCEPTED


class TestOtherwise:
    def test_a_wish_that_still_waits(self, home, case, thursday):
        [entry] = wait_for(case, thursday)

        assert "Aucune place n'est proposée pour le moment" in words_of(home.get(page_of(entry)))

    def test_a_wish_withdrawn_says_why(self, home, submitted, seated_wish, parent):
        submission.withdraw(submitted, actor=parent)

        words = words_of(home.get(page_of(seated_wish)))

        assert "n'est plus sur la liste d'attente" in words
        assert "a été rendue" in words

    @pytest.fixture
    def seated_wish(self, case, submitted):
        better = SlotFactory(course=case.slot.course, weekday=4, places=0)
        return wait_for(case, better)[0]

    def test_somebody_elses_is_not_found(self, client, offered, stranger):
        client.force_login(stranger)

        for data in ({"accept": ""}, {"decline": ""}):
            assert client.post(page_of(offered), data).status_code == 404
        assert client.get(page_of(offered)).status_code == 404
        assert state_of(offered) == WaitingState.OFFERED

    def test_another_students_wish_is_not_found(self, home, case, offered, rival, thursday):
        [theirs] = wait_for(rival, thursday)
        address = reverse("reenrolment:offer", args=[case.student.pk, theirs.pk])

        assert home.get(address).status_code == 404
        assert home.post(address, {"accept": ""}).status_code == 404

    def test_at_the_counter_an_agent_answers_and_signs(self, client, case, offered, registrar):
        client.force_login(registrar)
        assert client.get(page_of(offered)).status_code == 404
        family = case.student.families.get()
        client.post(reverse("reenrolment:assist", args=[case.student.pk]), {"family": family.pk})

        client.post(page_of(offered), {"decline": ""})

        assert offered.moves.first().actor == registrar

    def test_from_another_site_one_switches_first(self, home, parent, offered):
        annexe = EstablishmentFactory(name="Annexe")
        parent.establishments.add(annexe)
        home.post(reverse("accounts:switch_site"), {"site": annexe.pk})

        response = home.get(page_of(offered))
        assert "Voir la place proposée" in words_of(response)
        assert "Accepter la place" not in words_of(response)

        site = offered.course.establishment
        back = {"site": site.pk, "next": page_of(offered)}
        response = home.post(reverse("accounts:switch_site"), back, follow=True)
        assert "Accepter la place" in words_of(response)

    def test_of_a_site_that_is_not_ones_own_it_is_not_found(self, home, parent, offered):
        parent.establishments.set([EstablishmentFactory(name="Annexe")])

        assert home.get(page_of(offered)).status_code == 404
