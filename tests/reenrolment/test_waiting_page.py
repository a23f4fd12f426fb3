"""« Attendre une place »: the wishes of one course, the rule, the ranks; the pages around it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from reenrolment.models import Campaign, WaitingCriterion
from reenrolment.services import decisions, submission
from students import closing
from students import services as students
from students.enums import Criterion, WaitingState
from students.models import Slot, WaitingEntry
from tests.answers import words_of
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
)
from tests.queries import FAMILY_PAGE, WAITING_PAGE, count_queries
from tests.reenrolment.conftest import make_rival
from tests.reenrolment.test_edit import page_data, url
from tests.reenrolment.waiting_cases import fill, free, offer, wait_for


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def page_of(case):
    return reverse("reenrolment:waiting", args=[case.student.pk, case.slot.course.pk])


def sent(response, *slots):
    """The page's form with these wishes, by key; « tous » for any, an empty string for a gap."""
    form = response.context["form"]
    wishes = {f"wish_{rank}": str(getattr(s, "pk", s)) for rank, s in enumerate(slots, start=1)}
    return {field.html_name: "" for field in form.ranks} | {"seen": form["seen"].value()} | wishes


def stored(case):
    entries = WaitingEntry.objects.live().filter(student=case.student).order_by("preference")
    return [entry.slot for entry in entries]


class TestTheRow:
    """« Réinscription »: what a course says of its full slots (pain 1 of the trade)."""

    def test_says_how_many_are_full_and_leads_to_the_list(self, home, case):
        fill(case.slot)
        SlotFactory(course=case.slot.course, weekday=4)

        response = home.get(url(case.student))

        assert "1 horaire complet Attendre une place" in words_of(response)
        assert f"{case.slot} (" not in words_of(response), "no place of it can be picked"

    def test_the_button_saves_everything_first(self, home, case, thursday):
        typed = page_data(home.get(url(case.student))) | {"comment": "Merci"}

        response = home.post(url(case.student), typed | {"wait": str(case.slot.course.pk)})

        assert response.url == page_of(case)
        assert case.reenrolment.comment == "Merci"

    def test_a_course_full_altogether_leads_there_too(self, home, case, thursday):
        words = words_of(home.get(url(case.student)))

        assert "Complet : tous les horaires sont pris." in words
        assert "Attendre une place en " in words

    @pytest.mark.parametrize("key", ["0", "", "x", "choir"])
    def test_a_button_of_no_course_of_his_saves_and_stays(self, home, case, key):
        typed = page_data(home.get(url(case.student)))
        theirs = CourseFactory(coming=True).pk if key == "choir" else key

        response = home.post(url(case.student), typed | {"wait": theirs})

        assert response.url == url(case.student)

    def test_says_the_rank_of_each_wish(self, home, case, thursday, rival):
        wait_for(rival, thursday)
        wait_for(case, thursday, case.slot)

        words = words_of(home.get(url(case.student)))

        assert "B – JEUDI – 18 h 30 à 19 h 30, 2e sur 2" in words
        assert "A – LUNDI – 18 h 30 à 19 h 30, 1er sur 1" in words

    def test_an_offer_stands_out_with_its_end(self, home, case, thursday):
        wait_for(case, thursday)
        entry = offer(case, thursday)

        response = home.get(url(case.student))

        assert "Une place vous est proposée : B – JEUDI" in words_of(response)
        assert reverse("reenrolment:offer", args=[case.student.pk, entry.pk]) in response.text

    def test_who_waits_may_submit_without_taking_another_slot(self, home, case, parent):
        """A seat that the family will not use would be taken from another one."""
        fill(case.slot)
        SlotFactory(course=case.slot.course, weekday=4)
        case.fill_in()
        wait_for(case, case.slot)
        data = page_data(home.get(url(case.student)))
        data |= {"administrative": "on", f"course-{case.theory.pk}-slot_id": ""}

        response = home.post(url(case.student), data | {"check": ""}, follow=True)

        assert "Sans horaire pour le moment" in words_of(response)
        assert "1er sur 1" in words_of(response)
        assert case.submit(parent).status == "submitted"


class TestTheRecap:
    def test_and_what_follows_it_say_what_is_awaited(self, home, case, thursday, parent):
        case.fill_in_without_slot()
        wait_for(case, thursday, None)
        awaited = "B – JEUDI – 18 h 30 à 19 h 30, 1er sur 1"

        assert awaited in words_of(home.get(url(case.student, "check")))
        case.submit(parent)

        for name in ("edit", "confirmation", "withdraw"):
            words = words_of(home.get(url(case.student, name)))
            assert awaited in words
            assert "n'importe quel horaire" in words
        [mail] = Mail.objects.filter(kind=MailKind.ACKNOWLEDGEMENT)
        told = mail.body.replace("\u00a0", " ")
        assert f"En liste d'attente\n- {thursday.course}, {awaited}\n" in told

    def test_who_waits_for_nothing_reads_nothing_of_it(self, home, case, parent):
        case.fill_in()
        case.submit(parent)

        for name in ("edit", "confirmation", "withdraw"):
            assert "liste d'attente" not in words_of(home.get(url(case.student, name)))
        assert "liste d'attente" not in Mail.objects.get().body

    def test_withdrawing_warns_that_the_ranks_are_lost(self, home, case, thursday, parent):
        case.fill_in_without_slot()
        wait_for(case, thursday)
        case.submit(parent)

        assert "ses rangs seront perdus" in words_of(home.get(url(case.student, "withdraw")))
        home.post(url(case.student, "withdraw"))

        assert stored(case) == []


class TestWishing:
    def test_joins_the_lines_in_the_order_wished(self, home, case, thursday, parent):
        page = home.get(page_of(case))

        response = home.post(page_of(case), sent(page, thursday, case.slot), follow=True)

        assert response.redirect_chain == [(page_of(case), 302)]
        assert stored(case) == [thursday, case.slot]
        assert "Vos vœux sont enregistrés" in words_of(response)
        assert [w.actor for w in case.student.waiting_entries.first().moves.all()] == [parent]
        assert case.choice(case.theory).wanted

    def test_gaps_are_closed(self, home, case, thursday):
        home.post(page_of(case), sent(home.get(page_of(case)), "", case.slot, thursday))

        entries = WaitingEntry.objects.live().order_by("preference")
        assert [(e.slot, e.preference) for e in entries] == [(case.slot, 1), (thursday, 2)]

    def test_any_slot(self, home, case, thursday):
        home.post(page_of(case), sent(home.get(page_of(case)), thursday, "tous"))

        assert stored(case) == [thursday, None]

    def test_twice_the_same_is_refused_beside_the_field(self, home, case, thursday):
        page = home.get(page_of(case))

        response = home.post(page_of(case), sent(page, thursday, case.slot, thursday))

        form = response.context["form"]
        assert form.errors.as_data()["wish_3"][0].code == "twice"
        assert [field.value() for field in form.ranks] == [
            str(thursday.pk),
            str(case.slot.pk),
            str(thursday.pk),
        ]
        assert "déjà votre vœu 1" in words_of(response)
        assert stored(case) == []

    def test_changing_the_order_keeps_the_rank(self, home, case, thursday, rival):
        wait_for(case, thursday, case.slot)
        wait_for(rival, case.slot)
        since = set(WaitingEntry.objects.filter(student=case.student).values_list("since"))

        home.post(page_of(case), sent(home.get(page_of(case)), case.slot, thursday))

        assert stored(case) == [case.slot, thursday]
        assert set(WaitingEntry.objects.filter(student=case.student).values_list("since")) == since

    def test_nothing_left_leaves_the_list(self, home, case, thursday):
        wait_for(case, thursday)
        page = home.get(page_of(case))
        assert "quitte la liste" in words_of(page)

        response = home.post(page_of(case), sent(page, ""), follow=True)

        assert stored(case) == []
        assert "son rang est perdu" in words_of(response)
        assert "Retrait de la liste : B – JEUDI – 18 h 30 à 19 h 30." in words_of(response)

    @pytest.mark.parametrize("change", [{"closed_at": timezone.now()}, {"age_from": 18}])
    @pytest.mark.parametrize("wished", ["slot", "any"])
    def test_one_leaves_the_list_of_slots_proposed_no_more(
        self, home, case, thursday, change, wished
    ):
        wait_for(case, thursday if wished == "slot" else None)
        Slot.objects.filter(course=case.slot.course).update(**change)

        page = home.get(page_of(case))
        home.post(page_of(case), sent(page, ""))

        assert stored(case) == []

    def test_a_slot_closed_meanwhile_says_so_beside_the_rank(self, home, case, thursday):
        wait_for(case, thursday)
        closing.close(thursday)

        words = words_of(home.get(page_of(case)))

        assert "rang : 1er sur 1 ; horaire fermé pour le moment" in words

    def test_nothing_at_all_makes_no_wish(self, home, case, thursday):
        response = home.post(page_of(case), sent(home.get(page_of(case)), ""), follow=True)

        assert "n'est pas sur la liste" in words_of(response)

    def test_a_place_left_meanwhile_is_to_pick_and_nothing_typed_is_lost(
        self, home, case, thursday
    ):
        typed = sent(home.get(page_of(case)), case.slot, thursday, "tous")
        free(thursday)

        response = home.post(page_of(case), typed)

        form = response.context["form"]
        assert [field.value() for field in form.ranks] == [
            str(case.slot.pk),
            str(thursday.pk),
            "tous",
        ]
        errors = form.errors.as_data()
        assert {name: errors[name][0].code for name in errors} == {
            "wish_2": "is_left",
            "wish_3": "is_left",
        }
        assert f'<option value="{thursday.pk}" selected' in response.text
        assert stored(case) == []

    @pytest.mark.parametrize("value", ["0", "x", "9" * 30, "-1"])
    def test_a_slot_of_another_course_is_no_choice(self, home, case, thursday, value):
        theirs = SlotFactory(places=0)
        page = home.get(page_of(case))

        for wish in (value, theirs.pk):
            response = home.post(page_of(case), sent(page, wish))
            assert response.context["form"].errors.as_data()["wish_1"][0].code == "invalid_choice"
        assert stored(case) == []

    @pytest.mark.parametrize("seen", ["x", "1,x", "9" * 30])
    def test_a_base_that_no_page_wrote_is_refused(self, home, case, thursday, seen):
        page = home.get(page_of(case))

        response = home.post(page_of(case), sent(page, thursday) | {"seen": seen})

        assert "seen" in response.context["form"].errors
        assert stored(case) == []

    @pytest.mark.parametrize("missing", [True, False])
    def test_a_stale_page_is_told_and_keeps_what_was_typed(self, home, case, thursday, missing):
        stale = sent(home.get(page_of(case)), case.slot)
        wait_for(case, thursday)
        if missing:
            del stale["seen"]

        response = home.post(page_of(case), stale)

        assert stored(case) == [thursday]
        words = words_of(response)
        assert "Vœux enregistrés maintenant : B – JEUDI – 18 h 30 à 19 h 30." in words
        form = response.context["form"]
        assert form["wish_1"].value() == str(case.slot.pk)
        home.post(page_of(case), sent(response, case.slot))
        assert stored(case) == [case.slot], "saving once more means « mine »"

    def test_a_form_of_another_site_changes_nothing(self, home, case, parent, thursday):
        typed = sent(home.get(page_of(case)), thursday)
        annexe = EstablishmentFactory(name="Annexe")
        parent.establishments.add(annexe)
        home.post(reverse("accounts:switch_site"), {"site": annexe.pk})

        response = home.post(page_of(case), typed | {"site": case.slot.course.establishment_id})

        assert response.status_code == 409
        assert "Rien n'est enregistré" in words_of(response)
        assert stored(case) == []

    def test_the_same_wish_from_two_tabs_is_one(self, home, case, thursday):
        typed = sent(home.get(page_of(case)), thursday)

        for _ in range(2):
            assert home.post(page_of(case), typed).status_code == 302

        assert stored(case) == [thursday]

    def test_an_offer_whose_time_is_over_is_joined_anew(self, home, case, thursday):
        wait_for(case, thursday)
        entry = offer(case, thursday)
        type(entry.hold).objects.update(until=timezone.now())
        fill_typed = sent(home.get(page_of(case)), case.slot)

        home.post(page_of(case), fill_typed)

        entry.refresh_from_db()
        assert entry.state == WaitingState.EXPIRED
        assert stored(case) == [case.slot]


class TestThePage:
    def test_tells_the_line_of_each_full_slot_and_the_rank_that_joining_gives(
        self, home, case, thursday, rival
    ):
        wait_for(rival, thursday)

        words = words_of(home.get(page_of(case)))

        assert "1 élève attend ; votre rang, en demandant maintenant : 2e sur 2" in words
        assert "Personne n'attend" in words

    def test_tells_the_rule_in_its_words_and_where_the_student_stands(
        self, home, case, thursday, rival
    ):
        for position, criterion in enumerate(Criterion, start=1):
            WaitingCriterion.objects.create(
                campaign=case.campaign, position=position, criterion=criterion
            )
        sister = StudentFactory(family=case.student.families.get())
        wednesday = SlotFactory(course__coming=True, course__name="Piano", weekday=4)
        students.claim(sister, wednesday, cycle="c1")
        EnrolmentFactory(student=case.student, course__discipline=thursday.course.discipline)
        home_of_rival = rival.student.families.get()
        home_of_rival.commune.zone = "resident"
        home_of_rival.commune.save()
        wait_for(rival, thursday)

        response = home.get(page_of(case))

        steps = [(step.words, step.answer) for step in response.context["waiting"].steps]
        assert steps == [
            (Criterion.ENROLLED.label, "oui"),
            (Criterion.SIBLING.label, "oui, le jeudi"),
            (Criterion.RESIDENT.label, "oui"),
            ("ordre des demandes", ""),
        ]
        assert "en demandant maintenant : 1er sur 2" in words_of(response)

    def test_the_rank_foretold_is_the_rank_given(self, home, case, thursday, rival):
        WaitingCriterion.objects.create(
            campaign=case.campaign, position=1, criterion=Criterion.SIBLING
        )
        sister = StudentFactory(family=case.student.families.get())
        students.claim(
            sister, SlotFactory(course__coming=True, course__name="Piano", weekday=4), cycle="c1"
        )
        wait_for(rival, thursday, case.slot)
        [monday, on_thursday] = home.get(page_of(case)).context["waiting"].awaited
        foretold = [monday.rank_of_newcomer, on_thursday.rank_of_newcomer]

        wait_for(case, case.slot, thursday)

        awaited = home.get(page_of(case)).context["waiting"].awaited
        assert [each.rank for each in awaited] == foretold == [2, 1]

    def test_a_slot_with_a_place_left_is_to_pick(self, home, case):
        fill(case.slot)
        left = SlotFactory(course=case.slot.course, weekday=5)

        response = home.get(page_of(case))

        waiting = response.context["waiting"]
        assert [awaited.slot for awaited in waiting.awaited] == [case.slot]
        assert waiting.left == [left]
        assert "sur la page de la réinscription" in words_of(response)
        assert "N'importe quel horaire" not in words_of(response)

    def test_the_slot_picked_meanwhile_is_his_not_one_that_is_left(self, home, case, thursday):
        friday = SlotFactory(course=case.slot.course, weekday=5, group="C")
        case.fill_in(slot=friday)
        wait_for(case, thursday)

        response = home.get(page_of(case))

        waiting = response.context["waiting"]
        assert (waiting.picked, waiting.left) == (friday, [])
        assert "Horaire choisi en attendant : C – VENDREDI" in words_of(response)

    def test_nothing_full_nothing_to_wait_for(self, home, case):
        response = home.get(page_of(case))

        assert "aucun horaire proposé à Louise n'est complet" in words_of(response)
        assert "Enregistrer mes vœux" not in response.text

    def test_tells_what_happened(self, home, case, thursday, parent):
        wait_for(case, thursday, actor=parent)
        offer(case, thursday)

        history = [words for _, words in home.get(page_of(case)).context["waiting"].history]

        assert [words.replace("\u00a0", " ") for words in history] == [
            "Place proposée : B – JEUDI – 18 h 30 à 19 h 30 (rang : 1er sur 1).",
            "Demande enregistrée : B – JEUDI – 18 h 30 à 19 h 30.",
        ]

    def test_names_nobody_else(self, home, case, thursday, rival):
        wait_for(rival, thursday)
        wait_for(case, thursday)

        assert rival.student.last_name not in words_of(home.get(page_of(case))).replace(
            case.student.last_name, ""
        )
        assert rival.student.first_name not in home.get(page_of(case)).text

    @pytest.mark.parametrize("count", [1, 4])
    @pytest.mark.parametrize("deposited", [True, False])
    def test_its_queries_are_constant(self, home, case, thursday, parent, count, deposited):
        case.fill_in_without_slot()
        slots = SlotFactory.create_batch(count, course=case.slot.course, places=0)
        for _ in range(count):
            wait_for(make_rival(case), *slots, thursday)
        wait_for(case, thursday, *slots)
        if deposited:
            case.submit(parent)

        assert count_queries(home, page_of(case)) <= FAMILY_PAGE
        for name in ("edit", "confirmation") if deposited else ("edit", "check"):
            tariff = name == "check"  # is one published, to say what the year would cost?
            assert count_queries(home, url(case.student, name)) <= WAITING_PAGE + tariff


class TestWhoMayWait:
    def test_a_student_with_a_seat_for_a_better_slot(self, home, case, submitted):
        better = SlotFactory(course=case.slot.course, weekday=4, places=0)

        page = home.get(page_of(case))
        home.post(page_of(case), sent(page, better))

        assert "a déjà une place : A – LUNDI" in words_of(page)
        assert [awaited.slot for awaited in page.context["waiting"].awaited] == [better]
        assert "N'importe quel horaire" not in words_of(page)
        assert stored(case) == [better]

    @pytest.mark.parametrize("change", [{"closed_at": timezone.now()}, {"age_from": 18}])
    def test_where_no_slot_is_for_him_the_link_leads_to_the_truth(
        self, home, case, submitted, change
    ):
        Slot.objects.filter(course=case.slot.course).update(**change)

        assert page_of(case) in home.get(url(case.student)).text
        assert "Il n'y a rien à attendre" in words_of(home.get(page_of(case)))

    def test_his_own_slot_is_no_wish(self, home, case, submitted):
        SlotFactory(course=case.slot.course, weekday=4, places=0)

        response = home.post(page_of(case), sent(home.get(page_of(case)), case.slot))

        assert response.context["form"].errors.as_data()["wish_1"][0].code == "invalid_choice"

    def test_a_slot_left_after_submitting_is_the_secretariats(self, home, case, submitted):
        SlotFactory(course=case.slot.course, weekday=4)

        assert "adressez-vous au secrétariat" in words_of(home.get(page_of(case)))

    def test_of_a_validated_dossier(self, home, case, placed, registrar):
        decisions.validate(placed, actor=registrar)
        better = SlotFactory(course=case.slot.course, weekday=4, places=0)

        home.post(page_of(case), sent(home.get(page_of(case)), better))

        assert stored(case) == [better]

    @pytest.mark.parametrize("how", ["withdrawn", "refused"])
    def test_not_of_a_dossier_that_ended(self, home, case, submitted, parent, registrar, how):
        full = SlotFactory(course=case.slot.course, weekday=4, places=0)
        stale = sent(home.get(page_of(case)), full)
        if how == "withdrawn":
            submission.withdraw(submitted, actor=parent)
        else:
            decisions.refuse(submitted, reason="Non.", actor=registrar)

        response = home.post(page_of(case), stale, follow=True)

        assert response.redirect_chain == [(url(case.student), 302)]
        assert "n'ont pas été enregistrés" in words_of(response)
        assert home.get(page_of(case)).url == url(case.student)
        assert stored(case) == []

    @pytest.mark.parametrize("moved", ["closes_at", "opens_at"])
    def test_not_of_a_draft_outside_the_period(self, home, case, thursday, moved):
        stale = sent(home.get(page_of(case)), thursday)
        later = timezone.now() + timezone.timedelta(days=1)
        moment = timezone.now() if moved == "closes_at" else later
        Campaign.objects.update(**{moved: moment})

        response = home.post(page_of(case), stale, follow=True)

        assert response.redirect_chain == [(url(case.student), 302)]
        assert stored(case) == []

    def test_a_course_that_is_not_his_is_not_found(self, home, case, thursday):
        theirs = SlotFactory(course__coming=True, places=0).course

        for course in (theirs, case.choir_course):
            address = reverse("reenrolment:waiting", args=[case.student.pk, course.pk])
            assert home.get(address).status_code == 404
            assert home.post(address, {"wish_1": "tous"}).status_code == 404

    def test_of_a_course_without_slots_there_is_nothing_to_wait_for(self, home, case):
        without = CourseFactory(coming=True, name="Sans créneau")
        EnrolmentFactory(student=case.student, course__next_course=without)
        address = reverse("reenrolment:waiting", args=[case.student.pk, without.pk])

        assert "Il n'y a rien à attendre" in words_of(home.get(address))
        home.post(address, {"wish_1": "tous"})
        assert stored(case) == []

    def test_somebody_elses_student_is_not_found(self, client, case, thursday, stranger):
        client.force_login(stranger)

        assert client.get(page_of(case)).status_code == 404
        assert client.post(page_of(case), {"wish_1": thursday.pk}).status_code == 404
        assert stored(case) == []

    def test_either_household_sees_and_changes_the_same_wishes(self, client, home, case, thursday):
        father = GuardianFactory(family=FamilyFactory(name="Durand"))
        CustodyFactory(student=case.student, family=father.family, rank=2)
        home.post(page_of(case), sent(home.get(page_of(case)), thursday))
        client.force_login(father.user)

        page = client.get(page_of(case))
        assert "Votre rang : 1er sur 1" in words_of(page)
        client.post(page_of(case), sent(page, case.slot, thursday))

        assert stored(case) == [case.slot, thursday]

    def test_at_the_counter_an_agent_for_the_family(self, client, case, thursday, registrar):
        client.force_login(registrar)
        assert client.get(page_of(case)).status_code == 404
        family = case.student.families.get()
        client.post(reverse("reenrolment:assist", args=[case.student.pk]), {"family": family.pk})

        client.post(page_of(case), sent(client.get(page_of(case)), thursday))

        assert stored(case) == [thursday]
        assert WaitingEntry.objects.get().moves.get().actor == registrar
