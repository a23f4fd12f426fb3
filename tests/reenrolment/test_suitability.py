"""A slot outside the student's age or level: not offered, not taken, and said in true words."""

from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from reenrolment.enums import Status
from reenrolment.services import decisions, drafts, submission
from students import services
from students.enums import Cycle, EnrolmentStatus, Scheduling, Weekday
from students.models import Course, Enrolment, Hold, Slot
from tests.factories import SlotFactory, StudentFactory
from tests.queries import FAMILY_PAGE, count_queries

ADULTS = {"age_from": 18}
BEGINNERS = {"cycle_year_to": 2}  # the student will be in the third year
NOT_FOR_HIM = pytest.mark.parametrize("bounds", [ADULTS, BEGINNERS])
NO_GROUP = "Aucun groupe de ce cours n'est prévu pour l'âge ou le niveau de l'élève."
NO_MORE = "ne correspond plus à l'âge ou au niveau de l'élève"


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def url(case, name="edit"):
    return reverse(f"reenrolment:{name}", args=[case.student.pk])


def plain(words):
    """One space for any white."""
    return " ".join(unescape(str(words)).split())


def text_of(response):
    return plain(response.content.decode())


def told(response):
    return [plain(sentence) for _, sentence in response.context["errors"]]


def gone(case):
    return plain(f"Le créneau « {case.slot} » {NO_MORE}")


def posted(case, slot):
    section = f"course-{case.theory.pk}"
    return {"administrative": "on", f"{section}-wanted": "on", f"{section}-slot_id": str(slot.pk)}


def bound(slot, **bounds):
    Slot.objects.filter(pk=slot.pk).update(**bounds)


class TestTheList:
    @NOT_FOR_HIM
    def test_offers_the_slots_for_the_student_alone(self, home, case, bounds):
        SlotFactory(course=case.slot.course, group="B", places=5, **bounds)

        response = home.get(url(case))

        (choice,) = [form for form in response.context["forms"].choices if form.row.slots]
        assert [slot for slot, _ in choice.fields["slot_id"].choices] == ["", case.slot.pk]

    @NOT_FOR_HIM
    def test_says_that_no_group_is_for_him_and_never_that_it_is_full(self, home, case, bounds):
        bound(case.slot, **bounds)

        text = text_of(home.get(url(case)))

        assert NO_GROUP in text
        assert "plus de cours disponible" in text
        assert "Complet" not in text

    def test_is_full_when_the_group_that_is_for_him_is(self, home, case):
        bound(case.slot, **ADULTS)
        SlotFactory(course=case.slot.course, group="B", places=0)

        text = text_of(home.get(url(case)))

        assert "Complet : tous les horaires sont pris." in text
        assert NO_GROUP not in text

    def test_costs_no_query(self, home, case):
        before = count_queries(home, url(case))
        Course.objects.update(age_from=1)
        for group in "BCD":
            SlotFactory(course=case.slot.course, group=group, **ADULTS)

        assert count_queries(home, url(case)) == before <= FAMILY_PAGE


class TestPosted:
    @NOT_FOR_HIM
    def test_by_hand_it_is_refused_beside_the_field(self, home, case, bounds):
        other = SlotFactory(course=case.slot.course, group="B", **bounds)

        response = home.post(url(case), posted(case, other))

        assert told(response) == [f"Ce créneau {NO_MORE}."]
        assert case.reenrolment.administrative
        assert not case.choice(case.theory).slot_id
        assert not Hold.objects.exists()

    @NOT_FOR_HIM
    def test_the_service_refuses_what_changed_since_the_page_was_read(self, case, bounds):
        bound(case.slot, **bounds)

        [refusal] = case.fill_in()

        assert (refusal.section, refusal.error.code) == (f"course-{case.theory.pk}", "not_suited")
        assert not case.choice(case.theory).wanted
        assert not Hold.objects.exists()


class TestPickedBefore:
    @pytest.fixture
    def picked(self, case):
        case.fill_in()
        return case

    @NOT_FOR_HIM
    def test_the_page_says_that_it_is_for_others_now(self, home, picked, bounds):
        SlotFactory(course=picked.slot.course, group="B")
        bound(picked.slot, **bounds)

        text = text_of(home.get(url(picked)))

        assert f"{gone(picked)}. Choisissez-en un autre :" in text
        assert "complet" not in text

    @pytest.mark.parametrize(
        ("others", "advice"),
        [
            ([{}], "choisissez-en un autre."),
            ([{"places": 0}], "il n'y en a plus d'autre."),
            ([], "aucun autre ne convient."),
        ],
    )
    def test_the_recap_sends_back_to_the_choice(self, home, picked, others, advice):
        for each in others:
            SlotFactory(course=picked.slot.course, group="B", **each)
        bound(picked.slot, **ADULTS)

        response = home.get(url(picked, "check"), follow=True)

        assert response.redirect_chain == [(url(picked) + "?verifier=1", 302)]
        (sentence,) = told(response)
        assert sentence.startswith(f"{gone(picked)} : {advice}")

    @NOT_FOR_HIM
    def test_submitting_is_refused_in_the_same_words(self, home, picked, parent, bounds):
        response = home.get(url(picked, "check"))
        form = response.context["form"]
        data = {name: form.initial[name] for name in ("terms", "fingerprint")} | {"accept": "on"}
        bound(picked.slot, **bounds)

        response = home.post(url(picked, "submit"), data, follow=True)

        assert response.redirect_chain == [(url(picked) + "?verifier=1", 302)]
        assert [plain(message) for message in response.context["messages"]] == [f"{gone(picked)}."]
        assert picked.reenrolment.status == Status.DRAFT
        assert not Enrolment.objects.filter(status=EnrolmentStatus.REQUESTED).exists()

    def test_one_course_full_and_one_for_others_are_told_together(self, picked, parent):
        Course.objects.filter(pk=picked.choir_course.pk).update(scheduling=Scheduling.FAMILY)
        friday = SlotFactory(course=picked.choir_course, weekday=Weekday.FRIDAY)
        picked.reenrolment.choices.filter(enrolment=picked.choir).update(slot=friday)
        bound(picked.slot, **ADULTS)
        services.claim(StudentFactory(), friday, cycle=Cycle.FIRST)

        with pytest.raises(ValidationError) as caught:
            picked.submit(parent)

        assert sorted(e.code for e in caught.value.error_list) == ["not_suited", "slot_full"]
        assert not Enrolment.objects.filter(student=picked.student, place__isnull=False).exists()

    def test_prolonging_keeps_no_place_that_is_for_others(self, picked):
        until = Hold.objects.get().until
        bound(picked.slot, **BEGINNERS)

        drafts.keep_places(picked.campaign, picked.student)

        assert Hold.objects.get().until == until

    def test_with_no_other_the_dossier_goes_without_an_hour(self, home, picked, parent):
        bound(picked.slot, **ADULTS)
        section = f"course-{picked.theory.pk}"
        home.post(
            url(picked),
            {
                "administrative": "on",
                "initial-administrative": "True",
                f"{section}-wanted": "on",
                f"initial-{section}-wanted": "True",
                f"initial-{section}-slot_id": str(picked.slot.pk),  # no list to choose in
                "check": "",
            },
        )

        assert NO_GROUP in text_of(home.get(url(picked, "check")))
        picked.submit(parent)

        granted = picked.choice(picked.theory).granted
        assert (granted.course, granted.place) == (picked.slot.course, None)

    def test_a_request_withdrawn_is_not_said_to_be_for_a_full_course(self, home, picked, parent):
        picked.reenrolment.choices.filter(enrolment=picked.theory).update(slot=None)
        bound(picked.slot, **ADULTS)
        picked.submit(parent)
        submission.withdraw(picked.reenrolment, actor=parent)

        text = text_of(home.get(url(picked)))

        assert str(picked.slot.course) in text
        assert "Complet" not in text


class TestTheAdministration:
    @pytest.fixture
    def lines(self, admin, case, submitted):
        """What the select of the course to place offers, in words."""

        def read():
            response = admin.get(
                reverse("admin:reenrolment_reenrolment_change", args=[submitted.pk])
            )
            forms = {line["row"].enrolment: line["form"] for line in response.context["lines"]}
            groups = dict(forms[case.choir].fields["where"].choices)
            return [label for _, label in groups[case.choir_course.name]]

        return read

    def test_is_warned_in_the_choice_itself(self, lines, case):
        made = [
            SlotFactory(course=case.choir_course, group=group, weekday=Weekday.FRIDAY, **bounds)
            for group, bounds in {"A": {}, "B": ADULTS, "C": BEGINNERS}.items()
        ]
        made.append(SlotFactory(course=case.choir_course, group="D", **ADULTS, **BEGINNERS))

        warnings = ["1 place", "1 place, hors âge", "1 place, hors niveau"]
        warnings.append("1 place, hors âge, hors niveau")
        assert sorted(lines()) == sorted(
            f"{slot} ({words})" for slot, words in zip(made, warnings, strict=True)
        )

    def test_places_him_there_all_the_same(self, admin, case, submitted):
        slot = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY, **ADULTS)
        choice = case.choice(case.choir)

        admin.post(
            reverse("admin:reenrolment_reenrolment_place", args=[submitted.pk, choice.pk]),
            {"where": f"slot-{slot.pk}"},
        )

        assert case.choice(case.choir).granted.slot == slot

    def test_the_warning_stays_on_the_place_that_he_has(self, lines, case, submitted):
        slot = SlotFactory(course=case.choir_course, weekday=Weekday.WEDNESDAY, **ADULTS)
        decisions.place(case.choice(case.choir), course=case.choir_course, slot=slot)

        assert lines() == [f"{slot} (place actuelle, hors âge)"]
