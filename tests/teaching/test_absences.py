"""« Absences » of a student: what either household reads, announces and justifies."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from families import erasures
from families.holdings import Copy, fingerprint_of, holdings, mails_to
from teaching.absences import services
from teaching.absences.personal_data import AbsencesPart
from teaching.enums import AbsenceState, Verdict
from teaching.models import Absence, AbsenceNotice, Justification
from tests.factories import CourseFactory, EnrolmentFactory, StudentFactory
from tests.queries import FAMILY_PAGE, count_queries
from tests.teaching.register_cases import (
    ABSENT,
    HERE,
    LATE,
    Case,
    make_absence,
    make_home,
    make_notice,
)

TODAY = timezone.localdate  # the run may pass midnight


@pytest.fixture
def absence(student, parent, teacher):
    return make_absence(student, teacher)[1]


@pytest.fixture
def page(client, student, parent):
    client.force_login(parent)
    return reverse("teaching:absences", args=[student.pk])


def state():
    return Absence.objects.with_state().get().state


class TestList:
    def test_it_says_what_is_to_justify(self, client, page, student, absence):
        text = client.get(page).text

        assert "À justifier" in text
        assert reverse("teaching:justify_absence", args=[student.pk, absence.pk]) in text

    def test_what_was_taken_back_is_not_there(self, client, page, student, teacher):
        case = Case(teacher, students=0)
        case.enrolments = [case.enrol("", student=student)]
        case.call(ABSENT)
        case.call(HERE)

        assert "Aucune absence cette année." in client.get(page).text

    def test_who_was_late_has_nothing_to_justify(self, client, page, student, teacher):
        case = Case(teacher, students=0)
        case.enrolments = [case.enrol("", student=student)]
        case.call(LATE)

        text = client.get(page).text
        assert "Retard" in text
        assert "Justifier" not in text

    @pytest.mark.parametrize("count", [1, 4])
    def test_the_same_number_of_queries(self, client, page, student, family, teacher, count):
        for number in range(count):
            case = Case(teacher, students=0, name=f"Cours {number}")
            case.enrolments = [case.enrol("", student=student)]
            case.call(ABSENT)
        by = family.guardians.get().user
        for number, each in enumerate(Absence.objects.all()):
            services.justify(each, family, text="Bus.", actor=by)
            make_notice(student, family, actor=by)
            AbsenceNotice.objects.update(first_on=TODAY() - dt.timedelta(days=number + 1))

        assert count_queries(client, page) <= FAMILY_PAGE


class TestAnnounce:
    def url(self, student):
        return reverse("teaching:announce_absence", args=[student.pk])

    def test_one_day_all_the_courses(self, client, page, student, parent, family):
        answer = client.post(self.url(student), {"first_on": TODAY().isoformat(), "reason": "Fête"})

        assert answer.url == page
        notice = AbsenceNotice.objects.get()
        assert (notice.first_on, notice.last_on, notice.course) == (TODAY(), TODAY(), None)
        assert (notice.family, notice.created_by, notice.reason) == (family, parent, "Fête")

    @pytest.mark.parametrize(
        ("first", "last", "sentence"),
        [
            (-1, 0, "une absence passée"),
            (3, 1, "Le dernier jour n'est pas avant le premier"),
            (0, 60, "60 jours au plus"),
        ],
    )
    def test_days_that_make_no_sense(self, client, page, student, first, last, sentence):
        days = {
            "first_on": (TODAY() + dt.timedelta(days=first)).isoformat(),
            "last_on": (TODAY() + dt.timedelta(days=last)).isoformat(),
        }

        answer = client.post(self.url(student), days)

        assert answer.status_code == 200
        assert sentence.lower() in answer.text.lower().replace("&#x27;", "'")
        assert not AbsenceNotice.objects.exists()

    def test_twice_is_refused(self, client, page, student):
        for _ in range(2):
            answer = client.post(self.url(student), {"first_on": TODAY().isoformat()})

        assert "déjà annoncée" in answer.text
        assert AbsenceNotice.objects.count() == 1

    def test_a_course_that_is_not_the_student_s_is_refused(self, student, family, parent):
        with pytest.raises(ValidationError) as refused:
            services.announce(
                student,
                family,
                first_on=TODAY(),
                last_on=TODAY(),
                course=CourseFactory(),
                reason="",
                actor=parent,
            )

        assert refused.value.error_dict["course"][0].code == "other_course"

    def test_a_course_of_his(self, client, page, student):
        course = EnrolmentFactory(student=student).course

        client.post(self.url(student), {"first_on": TODAY().isoformat(), "course": course.pk})

        assert AbsenceNotice.objects.get().course == course

    def test_it_is_withdrawn_by_the_household_that_wrote_it(
        self, client, page, student, family, parent
    ):
        notice = make_notice(student, family, actor=parent)
        url = reverse("teaching:withdraw_notice", args=[student.pk, notice.pk])
        client.force_login(make_home(student, rank=2))
        assert client.post(url).status_code == 404

        client.force_login(parent)
        assert client.post(url).url == page
        notice.refresh_from_db()
        assert notice.withdrawn_by == parent
        assert client.post(url).status_code == 404

    def test_one_that_is_past_is_not_withdrawn(self, student, family, parent):
        notice = make_notice(student, family, actor=parent)
        yesterday = TODAY() - dt.timedelta(days=1)
        AbsenceNotice.objects.update(first_on=yesterday, last_on=yesterday)

        with pytest.raises(ValidationError, match="passée"):
            services.withdraw(notice, actor=parent)


class TestJustify:
    def test_the_administration_answers(self, client, page, absence, student, registrar):
        url = reverse("teaching:justify_absence", args=[student.pk, absence.pk])

        assert client.post(url, {"text": "Bus en panne."}).url == page
        assert state() == AbsenceState.PENDING
        services.refuse(absence, reason="Il fallait un mot.", actor=registrar)
        assert state() == AbsenceState.REFUSED
        assert "Il fallait un mot." in client.get(page).text
        client.post(url, {"text": "Voici le mot."})
        services.accept(absence, actor=registrar)
        assert state() == AbsenceState.JUSTIFIED

    def test_twice_at_once_or_once_accepted_is_refused(self, absence, family, parent, registrar):
        services.justify(absence, family, text="Bus.", actor=parent)
        with pytest.raises(ValidationError) as pending:
            services.justify(absence, family, text="Bus.", actor=parent)
        services.accept(absence, actor=registrar)
        with pytest.raises(ValidationError) as answered:
            services.justify(absence, family, text="Bus.", actor=parent)

        assert (pending.value.code, answered.value.code) == ("pending", "answered")
        assert Justification.objects.count() == 1

    def test_an_absence_that_is_none_any_more_is_refused(self, absence, family, parent):
        Absence.objects.update(kind="present")

        with pytest.raises(ValidationError) as refused:
            services.justify(absence, family, text="Bus.", actor=parent)

        assert refused.value.code == "no_absence"

    def test_somebody_else_s_absence_is_not_found(self, client, page, absence, student, stranger):
        """Neither by its student's page, nor by the page of one's own child."""
        child = StudentFactory(family=stranger.guardian.family)
        client.force_login(stranger)

        for owner in (student, child):
            url = reverse("teaching:justify_absence", args=[owner.pk, absence.pk])
            assert client.get(url).status_code == 404
            assert client.post(url, {"text": "Bus."}).status_code == 404
        assert not Justification.objects.exists()

    def test_each_household_says_its_own(self, absence, student, family, parent, registrar):
        other = make_home(student, rank=2)

        services.justify(absence, family, text="Bus.", actor=parent)
        services.justify(absence, other.guardian.family, text="Grippe.", actor=other)
        services.accept(absence, actor=registrar)

        verdicts = Justification.objects.values_list("verdict", flat=True)
        assert list(verdicts) == [Verdict.ACCEPTED] * 2

    def test_nothing_to_answer_or_no_reason_is_refused(self, absence, registrar):
        with pytest.raises(ValidationError) as nothing:
            services.accept(absence, actor=registrar)
        with pytest.raises(ValidationError) as silent:
            services.refuse(absence, reason=" ", actor=registrar)

        assert (nothing.value.code, silent.value.code) == ("nothing", "no_reason")

    def test_the_administration_notes_it_itself(self, absence, family, parent, registrar):
        services.justify(absence, family, text="Bus.", actor=parent)

        services.note(absence, text="Appel de la mère", actor=registrar)

        assert state() == AbsenceState.JUSTIFIED
        with pytest.raises(ValidationError) as refused:
            services.note(absence, text="", actor=registrar)
        assert refused.value.code == "answered"


class TestPersonalData:
    def test_the_copy_holds_them_and_nothing_of_the_other_home(
        self, absence, student, family, parent
    ):
        other = make_home(student, rank=2)
        make_notice(student, family, actor=parent, reason="Fête")
        make_notice(student, other.guardian.family, actor=other, reason="Zysecret")
        services.justify(absence, family, text="Bus.", actor=parent)
        services.justify(absence, other.guardian.family, text="Zymotif", actor=other)

        export = AbsencesPart().export(Copy(parent.guardian))

        assert [each["motif"] for each in export["absences annoncées"]] == ["Fête"]
        [mine] = export["absences"]
        assert [each["justification"] for each in mine["justifications"]] == ["Bus."]
        assert "Zy" not in str(export)

    def test_the_mail_is_among_those_written_to_the_person(self, absence, parent):
        assert [mail.kind for mail in mails_to(parent.guardian)] == ["absence"]

    def test_erased_nothing_says_why_nor_of_whom(self, absence, student, family, parent, director):
        make_notice(student, family, actor=parent, reason="Fête")
        services.justify(absence, family, text="Bus.", actor=parent)
        Absence.objects.update(note="Encore lui")
        student.enrolments.update(status="released", place=None)

        request = erasures.ask(family, text="Tout.", actor=parent)
        expected = fingerprint_of(holdings(family))
        erasures.erase(request, expected=expected, actor=director)

        assert not AbsenceNotice.objects.exists()
        assert not Justification.objects.exists()
        assert Absence.objects.get().note == ""
