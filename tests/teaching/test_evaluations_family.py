"""What families read of evaluations, and what the administration decides of them."""

from io import BytesIO

import pikepdf
import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from teaching.enums import EvaluationState, ExamResult
from teaching.models import Evaluation, Scale
from tests.factories import (
    CourseFactory,
    CriterionFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    EvaluationFactory,
    GuardianFactory,
    PeriodFactory,
    SchoolYearFactory,
)


@pytest.fixture
def period(establishment):
    return PeriodFactory(name="1er semestre")


@pytest.fixture
def evaluation(student, period):
    evaluation = EvaluationFactory(
        enrolment__student=student,
        enrolment__course__name="Formation musicale C1-2",
        period=period,
        published=True,
        comment="Bravo.\nContinue <ainsi>.",
        exam_result=ExamResult.GOOD,
        next_course=CourseFactory(name="Formation musicale C1-3", coming=True),
    )
    evaluation.marks.create(criterion=CriterionFactory(), name="Rythme", value="acquis", position=1)
    return evaluation


def url(student):
    return reverse("teaching:evaluations", args=[student.pk])


def bulletin(student, period, name="bulletin"):
    return reverse(f"teaching:{name}", args=[student.pk, period.pk])


class TestEvaluations:
    def test_what_is_published(self, client, parent, student, evaluation):
        client.force_login(parent)

        text = client.get(url(student)).text

        for words in [
            *["1er semestre", "Formation musicale C1-2", "Rythme", "acquis", "Bravo."],
            *["Continue &lt;ainsi&gt;.", "obtenu, mention bien", "Formation musicale C1-3"],
            "Cécile Vasseur",
        ]:
            assert words in text

    @pytest.mark.parametrize("state", [EvaluationState.DRAFT, EvaluationState.READY])
    def test_nothing_before(self, client, parent, student, period, state):
        EvaluationFactory(enrolment__student=student, period=period, state=state)
        client.force_login(parent)

        assert "Aucune évaluation de Louise Martin" in client.get(url(student)).text
        assert client.get(bulletin(student, period)).status_code == 404
        assert client.get(bulletin(student, period, "bulletin_pdf")).status_code == 404

    def test_the_other_household_reads_the_same(self, client, student, evaluation):
        other = GuardianFactory(last_name="Durand")
        CustodyFactory(student=student, family=other.family, rank=2)
        client.force_login(other.user)

        assert "Bravo." in client.get(url(student)).text

    def test_not_a_stranger(self, client, stranger, student, period, evaluation):
        client.force_login(stranger)

        for address in (url(student), bulletin(student, period)):
            assert client.get(address).status_code == 404

    def test_another_site_s_are_read_there(self, client, parent, student, evaluation):
        annexe = EstablishmentFactory(name="Annexe")
        parent.establishments.set([annexe])
        client.force_login(parent)

        assert "Bravo." not in client.get(url(student)).text

    def test_constant_queries(self, client, parent, student, evaluation, django_assert_num_queries):
        client.force_login(parent)
        client.get(url(student))
        with django_assert_num_queries(6) as few:
            client.get(url(student))
        for offset in range(3):
            year = SchoolYearFactory(offset=-offset)
            for _ in range(3):
                EvaluationFactory(
                    enrolment=EnrolmentFactory(student=student, course__school_year=year),
                    period=PeriodFactory(school_year=year),
                    published=True,
                )

        with django_assert_num_queries(len(few)):
            client.get(url(student))


class TestBulletin:
    def test_the_page(self, client, parent, student, period, evaluation, establishment):
        client.force_login(parent)

        text = client.get(bulletin(student, period)).text

        assert f"1er semestre, année scolaire {period.school_year}" in text
        assert "Bulletin de Louise Martin" in text
        assert establishment.phone in text

    def test_the_pdf_is_tagged_and_says_the_same(
        self, client, parent, student, period, evaluation, caplog
    ):
        client.force_login(parent)

        answer = client.get(bulletin(student, period, "bulletin_pdf"))

        assert answer["Content-Type"] == "application/pdf"
        with pikepdf.open(BytesIO(answer.content)) as pdf:
            assert pdf.Root.MarkInfo.Marked
            assert pdf.Root.Lang == "fr-FR"
            with pdf.open_metadata() as metadata:
                assert metadata["pdfuaid:part"] == "1"
        assert not caplog.records  # PDF/UA at the first try


class TestAdmin:
    def test_a_published_one_is_opened_again_with_a_reason(self, client, registrar, evaluation):
        client.force_login(registrar)
        address = reverse("admin:teaching_evaluation_reopen", args=[evaluation.pk])
        assert (
            "Rouvrir"
            in client.get(reverse("admin:teaching_evaluation_change", args=[evaluation.pk])).text
        )

        client.post(address, {"reason": "Erreur de nom"})

        evaluation.refresh_from_db()
        assert evaluation.state == EvaluationState.DRAFT
        assert "Rouverte\u00a0: Erreur de nom" in LogEntry.objects.get().change_message

    def test_no_reason_nothing_done(self, client, registrar, evaluation):
        client.force_login(registrar)

        answer = client.post(reverse("admin:teaching_evaluation_reopen", args=[evaluation.pk]))

        assert answer.context["form"].errors["reason"]
        evaluation.refresh_from_db()
        assert evaluation.state == EvaluationState.PUBLISHED

    def test_another_site_s_is_not_found(self, client, registrar, evaluation):
        Evaluation.objects.filter(pk=evaluation.pk).update(
            period=PeriodFactory(establishment=EstablishmentFactory(name="Annexe"))
        )
        client.force_login(registrar)

        address = reverse("admin:teaching_evaluation_reopen", args=[evaluation.pk])
        assert client.get(address).status_code == 404

    @pytest.mark.parametrize(
        ("maximum", "levels", "sentence"),
        [
            ("20", ["acquis", "fragile"], "pas les deux"),
            ("", ["acquis"], "au moins deux niveaux"),
        ],
    )
    def test_a_scale_has_a_maximum_or_levels(self, client, registrar, maximum, levels, sentence):
        client.force_login(registrar)
        form = {
            **{"name": "Acquis", "maximum": maximum},
            **{"levels-TOTAL_FORMS": len(levels), "levels-INITIAL_FORMS": 0},
        }
        for number, name in enumerate(levels):
            form |= {f"levels-{number}-position": number + 1, f"levels-{number}-name": name}

        answer = client.post(reverse("admin:teaching_scale_add"), form)

        assert sentence in answer.text
        assert not Scale.objects.exists()

    def test_the_progress_of_a_period(self, client, registrar, evaluation, period):
        EnrolmentFactory()
        client.force_login(registrar)

        page = client.get(reverse("admin:teaching_period_change", args=[period.pk])).text
        assert "1 terminée sur 2, dont 1 publiée" in page
        listed = client.get(reverse("admin:teaching_period_changelist")).text
        for name in ("finished", "published_count"):
            assert f'<td class="field-{name}">1</td>' in listed
