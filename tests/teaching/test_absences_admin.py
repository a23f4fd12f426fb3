"""« Absences » in the administration: what families wrote is answered; the list and its filters."""

import html

import pytest
from django.urls import reverse

from teaching.absences import services
from teaching.enums import AbsenceState, Presence, Verdict
from teaching.models import Absence, Justification
from tests.factories import EstablishmentFactory, TeacherFactory
from tests.teaching.register_cases import ABSENT, EXCUSED, HERE, LATE, Case, make_absence, make_home

LIST = reverse("admin:teaching_absence_changelist")


@pytest.fixture
def absence(student, parent, teacher):
    return make_absence(student, teacher)[1]


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def said(absence, family, parent):
    """The household's words, which wait for an answer."""
    return services.justify(absence, family, text="Bus en panne.", actor=parent)


@pytest.fixture
def url(absence):
    return reverse("admin:teaching_absence_answer", args=[absence.pk])


def state():
    return Absence.objects.with_state().get().state


class TestAnswer:
    def test_its_page_leads_there_and_says_what_the_family_wrote(self, desk, absence, said, url):
        page = desk.get(reverse("admin:teaching_absence_change", args=[absence.pk])).text
        assert url in page
        assert "Bus en panne." in page

        assert "Bus en panne." in desk.get(url).text
        assert state() == AbsenceState.PENDING  # opening it answers nothing

    def test_accepted(self, desk, absence, said, url, registrar):
        answer = desk.post(url, {"answer": "accept"}, follow=True)

        assert f"{absence}\u00a0: réponse enregistrée." in html.unescape(answer.text)
        assert state() == AbsenceState.JUSTIFIED
        said.refresh_from_db()
        assert (said.verdict, said.decided_by) == (Verdict.ACCEPTED, registrar)
        assert said.decided_at

    def test_refused_the_family_reads_why(self, desk, absence, said, url, registrar, student):
        desk.post(url, {"answer": "refuse", "text": "Il faut un mot daté."})

        said.refresh_from_db()
        assert (said.verdict, said.decided_by) == (Verdict.REFUSED, registrar)
        assert state() == AbsenceState.REFUSED
        desk.force_login(student.families.get().guardians.get().user)
        page = desk.get(reverse("teaching:absences", args=[student.pk])).text
        assert "Il faut un mot daté." in page
        assert "Justifier<" in page  # and may say it again

    @pytest.mark.parametrize("text", ["", "   "])
    def test_without_a_reason_a_refusal_is_told_beside_the_field(self, desk, said, url, text):
        answer = desk.post(url, {"answer": "refuse", "text": text})

        assert answer.status_code == 200
        assert answer.context["form"].errors == {
            "text": ["Dites pourquoi\u00a0: la famille le lit."]
        }
        assert answer.context["form"]["answer"].value() == "refuse"
        assert "Erreur&nbsp;:" in answer.text
        said.refresh_from_db()
        assert said.verdict == Verdict.PENDING

    def test_nothing_chosen_is_told_and_what_was_typed_stays(self, desk, said, url):
        answer = desk.post(url, {"answer": "", "text": "Appel de la mère"})

        assert list(answer.context["form"].errors) == ["answer"]
        assert 'value="Appel de la mère"' in answer.text
        assert state() == AbsenceState.PENDING

    @pytest.mark.parametrize("data", [{"answer": "accept"}, {"answer": "refuse", "text": "Non."}])
    def test_where_nobody_wrote_there_is_nothing_to_answer(self, desk, url, data):
        answer = desk.post(url, data)

        assert "Aucune justification n'attend de réponse." in html.unescape(answer.text)
        assert state() == AbsenceState.TO_JUSTIFY

    def test_noted_by_the_administration_itself(self, desk, url, registrar):
        desk.post(url, {"answer": "note", "text": "Appel de la mère"})

        noted = Justification.objects.get()
        assert (noted.text, noted.family, noted.by) == ("Appel de la mère", None, registrar)
        assert state() == AbsenceState.JUSTIFIED
        answer = desk.post(url, {"answer": "note", "text": "Encore"})
        assert "déjà justifiée" in answer.text

    def test_both_households_are_answered_at_once(self, desk, absence, said, url, student):
        other = make_home(student, rank=2)
        services.justify(absence, other.guardian.family, text="Grippe.", actor=other)

        desk.post(url, {"answer": "accept"})

        verdicts = Justification.objects.values_list("verdict", flat=True)
        assert list(verdicts) == [Verdict.ACCEPTED] * 2

    def test_one_corrected_meanwhile_is_not_found(self, desk, said, url):
        Absence.objects.update(kind=Presence.LATE)

        assert desk.get(url).status_code == 404
        assert desk.post(url, {"answer": "accept"}).status_code == 404

    def test_one_of_another_site_is_not_found(self, desk, absence, said, url):
        course = absence.enrolment.course
        course.establishment = EstablishmentFactory(name="Annexe")
        course.save()

        assert desk.get(url).status_code == 404
        assert desk.post(url, {"answer": "accept"}).status_code == 404
        said.refresh_from_db()
        assert said.verdict == Verdict.PENDING

    def test_who_only_reads_is_offered_nothing(self, client, accountant, said, absence, url):
        client.force_login(accountant)

        assert client.get(url).status_code == 403
        assert client.post(url, {"answer": "accept"}).status_code == 403


class TestList:
    def accept(self, desk, *absences):
        rows = [each.pk for each in absences]
        data = {"action": "accept", "_selected_action": rows}
        return html.unescape(desk.post(LIST, data, follow=True).text)

    def test_those_ticked_are_accepted(self, desk, absence, said):
        text = self.accept(desk, absence)

        assert f"{absence}\u00a0: justifiée." in text
        assert state() == AbsenceState.JUSTIFIED

    def test_of_those_ticked_one_that_nobody_justified_says_so(self, desk, absence, said, teacher):
        silent = make_another(teacher)

        text = self.accept(desk, absence, silent)

        assert f"{silent}. Aucune justification n'attend" in text
        said.refresh_from_db()
        assert said.verdict == Verdict.ACCEPTED

    def test_those_of_another_site_stay_as_they_are(self, desk, absence, said):
        absence.enrolment.course.establishment = EstablishmentFactory(name="Annexe")
        absence.enrolment.course.save()

        self.accept(desk, absence)

        said.refresh_from_db()
        assert said.verdict == Verdict.PENDING

    def test_by_kind_and_nobody_present_is_among_the_kinds(self, desk, teacher):
        case = Case(teacher, students=4)
        case.call(ABSENT, LATE, EXCUSED, ABSENT)
        case.call(ABSENT, LATE, EXCUSED, HERE)

        page = desk.get(LIST)
        kinds = {"absent": "Louise 0", "late": "Louise 1", "excused": "Louise 2"}
        [kind_filter] = [each for each in page.context["cl"].filter_specs if each.title == "nature"]
        assert [value for value, _ in kind_filter.lookup_choices] == list(kinds)
        assert names(page) == set(kinds.values())
        for kind, name in kinds.items():
            assert names(desk.get(LIST, {"nature": kind})) == {name}
        assert names(desk.get(LIST, {"nature": "present"})) == set(kinds.values())

    def test_by_state(self, desk, absence, said, teacher):
        make_another(teacher)

        found = desk.get(LIST, {"etat": AbsenceState.PENDING}).context["cl"].queryset

        assert list(found) == [absence]


def make_another(teacher):
    case = Case(TeacherFactory(), students=1, name="Chorale")
    case.call(ABSENT)
    return Absence.objects.get(enrolment=case.enrolments[0])


def names(page):
    return {each.enrolment.student.first_name for each in page.context["cl"].queryset}
