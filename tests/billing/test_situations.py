import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.enums import SituationCode
from billing.models import PayerShare, Situation
from billing.personal_data import BillingPart
from billing.services import situations
from families import absorbing
from families.holdings import Copy
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    PayerShareFactory,
    SchoolYearFactory,
    SituationFactory,
    StudentFactory,
)

SITUATIONS = "/admin/billing/situation/"
SHARES = "/admin/billing/payershare/"


def noted(**kwargs):
    today = timezone.localdate()
    return Situation(
        **{"school_year": SchoolYearFactory(), "code": "minima", "seen_on": today, **kwargs}
    )


@pytest.fixture
def custodies(student, family):
    """Louise lives by turns at her mother's and at her father's."""
    return [*student.custodies.all(), CustodyFactory(student=student, rank=2)]


class TestSituations:
    def test_is_noted_by_an_agent_then_changed(self, family, accountant, director):
        situation = situations.note_situation(noted(family=family), actor=accountant)
        situation.note = "Attestation de la CAF"
        situations.note_situation(situation, actor=director)

        saved = Situation.objects.get()
        assert (saved.family, saved.note, saved.noted_by) == (
            *(family, "Attestation de la CAF"),
            director,
        )
        assert str(saved) == "Martin\u00a0: minima sociaux"

    @pytest.mark.parametrize("owners", [[], ["family", "student"]])
    def test_is_of_a_student_or_of_a_family(self, family, student, accountant, owners):
        people = {"family": family, "student": student}

        with pytest.raises(ValidationError, match="celle d'un élève ou celle d'une famille"):
            situations.note_situation(
                noted(**{name: people[name] for name in owners}), actor=accountant
            )

    @pytest.mark.parametrize("owner", ["family", "student"])
    def test_is_noted_once_a_year(self, family, student, accountant, owner):
        people = {owner: {"family": family, "student": student}[owner]}
        situations.note_situation(noted(**people), actor=accountant)

        with pytest.raises(ValidationError, match="déjà notée"):
            situations.note_situation(noted(**people), actor=accountant)
        situations.note_situation(noted(**people, code="student"), actor=accountant)
        coming = SchoolYearFactory.coming()
        situations.note_situation(noted(**people, school_year=coming), actor=accountant)

    def test_is_not_seen_tomorrow(self, family, accountant):
        tomorrow = timezone.localdate() + dt.timedelta(1)

        with pytest.raises(ValidationError) as refusal:
            situations.note_situation(noted(family=family, seen_on=tomorrow), actor=accountant)

        assert refusal.value.error_dict["seen_on"][0].code == "seen_in_future"

    def test_is_not_changed_once_removed(self, family, accountant):
        situation = SituationFactory(family=family)
        situations.remove_situation(Situation.objects.get())

        with pytest.raises(ValidationError) as refusal:
            situations.note_situation(situation, actor=accountant)

        assert refusal.value.code == "gone"
        assert not Situation.objects.exists()

    @pytest.mark.parametrize("wrong", [{"code": "x"}, {"student": None, "family": None}])
    def test_the_database_refuses_what_the_service_does(self, family, wrong):
        SituationFactory(family=family)

        with pytest.raises(IntegrityError), transaction.atomic():
            Situation.objects.update(**wrong)

    def test_either_household_reads_that_of_its_student(self, parent, family, custodies):
        father = GuardianFactory(family=custodies[1].family).user
        of_louise = SituationFactory(student=custodies[0].student)
        of_the_mother = SituationFactory(family=family)
        SituationFactory(family=FamilyFactory())

        assert {*Situation.objects.visible_to(parent)} == {of_louise, of_the_mother}
        assert [*Situation.objects.visible_to(father)] == [of_louise]

    def test_the_regie_notes_and_removes_one(self, client, accountant, family):
        client.force_login(accountant)
        page = {
            "family": family.pk,
            "school_year": SchoolYearFactory().pk,
            "code": SituationCode.MINIMA,
            "seen_on": f"{timezone.localdate():%d/%m/%Y}",
        }

        assert client.post(f"{SITUATIONS}add/", page).status_code == 302
        situation = Situation.objects.get()
        assert (situation.family, situation.noted_by) == (family, accountant)
        page |= {"code": SituationCode.JOBSEEKER}
        assert client.post(f"{SITUATIONS}{situation.pk}/change/", page).status_code == 302
        assert Situation.objects.get().code == SituationCode.JOBSEEKER
        removed = client.post(f"{SITUATIONS}{situation.pk}/delete/", {"post": "yes"})
        assert removed.status_code == 302
        assert not Situation.objects.exists()

    def test_an_agent_reads_those_of_his_own_people(self, client, accountant, student):
        mine = [SituationFactory(student=student), SituationFactory(family=FamilyFactory())]
        elsewhere = StudentFactory(family=FamilyFactory())
        EnrolmentFactory(
            student=elsewhere, course__establishment=EstablishmentFactory(name="Annexe")
        )
        SituationFactory(student=elsewhere)
        SituationFactory(family=elsewhere.families.get())
        client.force_login(accountant)

        assert {*client.get(SITUATIONS).context["cl"].queryset} == {*mine}
        choices = client.get(f"{SITUATIONS}add/").context["adminform"].form["student"].field
        assert [label for _, label in choices.choices][1:] == [
            f"{student} ({student.birth_date:%d/%m/%Y})"
        ]


class TestShares:
    def test_both_are_written(self, student, custodies):
        first, second = (custody.pk for custody in custodies)
        situations.set_shares(student, {first: 70, second: 30})
        situations.set_shares(student, {first: 60, second: 40})

        shares = PayerShare.objects.values_list("custody", "percent")
        assert dict(shares) == {first: 60, second: 40}

    @pytest.mark.parametrize("parts", [(50, 49), (60, 60), (0, 0)])
    def test_are_the_whole_together(self, student, custodies, parts):
        percents = dict(zip([custody.pk for custody in custodies], parts, strict=True))

        with pytest.raises(ValidationError) as refusal:
            situations.set_shares(student, percents)

        assert refusal.value.code == "not_whole"
        assert not PayerShare.objects.exists()

    def test_none_is_above_the_whole(self, student, custodies):
        first, second = (custody.pk for custody in custodies)

        with pytest.raises(ValidationError):
            situations.set_shares(student, {first: 101, second: -1})

    def test_are_between_two_households(self, student):
        with pytest.raises(ValidationError) as refusal:
            situations.set_shares(student, {student.custodies.get().pk: 100})

        assert refusal.value.code == "not_two_households"

    def test_are_between_the_two_of_this_student(self, student, custodies):
        with pytest.raises(ValidationError) as refusal:
            situations.set_shares(student, {custodies[0].pk: 50, CustodyFactory().pk: 50})

        assert refusal.value.code == "not_two_households"

    def test_are_removed_together(self, student, custodies):
        for custody in custodies:
            PayerShareFactory(custody=custody)
        other = PayerShareFactory()

        situations.remove_shares(student)

        assert PayerShare.objects.get() == other

    def test_the_regie_types_one_the_other_follows(self, client, accountant, custodies):
        client.force_login(accountant)
        first, second = custodies
        page = {"custody": second.pk, "percent": 30}

        assert client.post(f"{SHARES}add/", page).status_code == 302
        assert dict(PayerShare.objects.values_list("custody", "percent")) == {
            first.pk: 70,
            second.pk: 30,
        }
        url = f"{SHARES}{second.payer_share.pk}"
        assert client.post(f"{url}/change/", {"percent": 25}).status_code == 302
        assert first.payer_share.percent == 75
        assert client.post(f"{url}/delete/", {"post": "yes"}).status_code == 302
        assert not PayerShare.objects.exists()

    def test_only_a_student_of_two_households_is_proposed(self, client, accountant, custodies):
        StudentFactory(family=FamilyFactory())
        client.force_login(accountant)

        form = client.get(f"{SHARES}add/").context["adminform"].form

        assert [label for _, label in form.fields["custody"].choices][1:] == [
            f"{custody} ({custody.get_rank_display()})" for custody in custodies
        ]

    def test_a_custody_that_ends_takes_its_share(self, custodies):
        PayerShareFactory(custody=custodies[1])

        custodies[1].delete()

        assert not PayerShare.objects.exists()


@pytest.mark.parametrize(("path", "factory"), [
    (SITUATIONS, lambda: SituationFactory(family=FamilyFactory())),
    (SHARES, lambda: PayerShareFactory()),
])  # fmt: skip
def test_the_queries_of_a_list_do_not_grow_with_its_rows(
    client, accountant, path, factory, django_assert_max_num_queries
):
    client.force_login(accountant)
    factory()
    client.get(path)
    for count in (1, 4):
        with django_assert_max_num_queries(14):
            assert client.get(path).status_code == 200
        for _ in range(count * 3):
            factory()


def test_the_copy_tells_the_situations_and_the_share(parent, family, student, custodies):
    SituationFactory(student=student, code=SituationCode.STUDENT, note="Carte vue")
    PayerShareFactory(custody=custodies[0], percent=70)
    PayerShareFactory(custody=custodies[1], percent=30)

    told = BillingPart().export(Copy(parent.guardian))["tarif"]

    assert [row["note"] for row in told["situations"]] == ["Carte vue"]
    assert [row["part payée (%)"] for row in told["parts"]] == [70]


def test_an_erasure_takes_the_situations(family, student):
    SituationFactory(student=student)
    SituationFactory(family=family)
    kept = SituationFactory(family=FamilyFactory())

    BillingPart().erase(family)

    assert Situation.objects.get() == kept


def test_the_situations_of_a_double_follow_once(family, superuser):
    double = FamilyFactory()
    SituationFactory(family=family)
    SituationFactory(family=double)
    moved = SituationFactory(family=double, code=SituationCode.JOBSEEKER)
    comparison = absorbing.compare(family, double)

    absorbing.absorb_family(
        kept=family.pk, absorbed=double.pk, actor=superuser, seen=comparison.fingerprint
    )

    assert [line.text for line in comparison.lines if "Situation" in line.text] == [
        f"Situation demandeur d'emploi ({moved.school_year})\u00a0: rejoint le foyer.",
        f"Situation minima sociaux ({moved.school_year})\u00a0: les deux foyers l'ont, une seule"
        " reste.",
    ]
    assert family.situations.count() == 2
    assert Situation.objects.count() == 2
