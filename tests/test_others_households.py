"""What the administration does of a household, and of the lists: never beyond the agent's sites.

The household of another site answers as one that does not exist; one of no site yet is everybody's.
"""

from types import SimpleNamespace

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import ListExport, Mail, User
from accounts.spreadsheets import services as spreadsheets
from accounts.spreadsheets.referenced import ELSEWHERE
from accounts.spreadsheets.writing import CSV
from families import erasures
from families.absorbing import absorb_family, compare
from families.doubles import likely_doubles
from families.lists import FamilyList, GuardianList
from families.models import ErasureRequest, Family, Guardian, Invitation, Merge
from students.lists import CourseList, CustodyList, EnrolmentList, SlotList, StudentList
from students.models import Custody, Student
from tests.answers import answer_of
from tests.factories import (
    CommuneFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    UserFactory,
)
from tests.lists import check, csv_of, import_rows, refusals

NOBODYS = 987_654  # a key that no row has


@pytest.fixture
def annexe(establishment):
    return EstablishmentFactory(name="Annexe")


def make_household(site, word, actor):
    """At the site: a student, two responsables alike, a merge behind it, a request that waits."""
    family = FamilyFactory(name=word, reference=f"F-{word}", commune=CommuneFactory())
    student = StudentFactory(family=family, last_name=word, reference=f"E-{word}")
    EnrolmentFactory(student=student, course__establishment=site)
    guardian = GuardianFactory(
        family=family, last_name=word, reference=f"R-{word}", user__establishments=[site]
    )
    double = FamilyFactory(name=f"Double {word}")
    twin = GuardianFactory(family=family, last_name=word, user=None, email="twin@example.org")
    seen = compare(family, double).fingerprint
    return SimpleNamespace(
        family=family,
        student=student,
        guardian=guardian,
        twin=twin,
        merge=absorb_family(kept=family.pk, absorbed=double.pk, actor=actor, seen=seen),
        absorbed=double.pk,
        asked=erasures.ask(family, text="Tout.", actor=guardian.user),
    )


@pytest.fixture
def ours(establishment, superuser):
    return make_household(establishment, "Nôtre", superuser)


@pytest.fixture
def theirs(annexe, superuser):
    return make_household(annexe, "Leur", superuser)


@pytest.fixture
def desk(client, director):
    client.force_login(director)
    return client


def of_account(name):
    def keys(home):
        return [home.family.pk, home.guardian.pk]

    return f"families_family_{name}", keys


ADDRESSES = dict(
    [
        ("families_family_household_accounts", lambda home: [home.family.pk]),
        of_account("invite"),
        of_account("close_account"),
        of_account("reopen_account"),
        ("families_family_merge_families", lambda home: [home.family.pk, home.absorbed]),
        ("families_family_merge_guardians", lambda home: [home.guardian.pk, home.twin.pk]),
        ("families_merge_change", lambda home: [home.merge.pk]),
        ("families_merge_history", lambda home: [home.merge.pk]),
        ("families_erasurerequest_change", lambda home: [home.asked.pk]),
        ("families_erasurerequest_history", lambda home: [home.asked.pk]),
        ("families_erasurerequest_erase", lambda home: [home.asked.pk]),
        ("families_erasurerequest_answer", lambda home: [home.asked.pk]),
    ]
)
TYPED = {"reason": "Départ", "answer-state": "refused", "answer-answer": "Non."}


def as_they_are(home):
    rows = [home.family, home.guardian, home.twin, home.asked, home.merge, home.guardian.user]
    return [type(row).objects.filter(pk=row.pk).values().get() for row in rows]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_household_of_another_site_answers_as_nobodys(desk, ours, theirs, name, method):
    keys_of = ADDRESSES[name]

    def answer(keys):
        url = reverse(f"admin:{name}", args=keys)
        status, where, text = answer_of(getattr(desk, method)(url, TYPED))
        return status, where, text.replace(url, "…")

    nobodys = [NOBODYS + rank for rank, _ in enumerate(keys_of(theirs))]
    before, mails = as_they_are(theirs), Mail.objects.count()

    assert answer(keys_of(theirs)) == answer(nobodys)
    assert as_they_are(theirs) == before
    assert (Mail.objects.count(), Invitation.objects.count()) == (mails, 0)
    refused_whatever = method == "post" and name.startswith("families_merge_")
    if answer(nobodys)[0] != 405 and not refused_whatever:  # the address is the right one
        assert answer(keys_of(ours)) != answer(nobodys)


@pytest.mark.parametrize("kind", ["families", "guardians"])
def test_nothing_is_merged_with_a_row_of_another_site(desk, ours, theirs, kind):
    def page(other):
        mine, other = (
            (ours.family.pk, other and other.family.pk)
            if kind == "families"
            else (ours.guardian.pk, other and other.guardian.pk)
        )
        return [
            reverse(f"admin:families_family_merge_{kind}", args=keys)
            for keys in ((mine, other or NOBODYS), (other or NOBODYS, mine))
        ]

    for theirs_page, nobodys_page in zip(page(theirs), page(None), strict=True):
        for method in (desk.get, desk.post):
            assert method(theirs_page).status_code == method(nobodys_page).status_code == 404
    assert Family.objects.filter(pk=theirs.family.pk).exists()


def test_two_households_ticked_are_of_ones_own_sites(desk, ours, theirs):
    def choose(key):
        data = {"action": "compare", "_selected_action": [ours.family.pk, key]}
        response = desk.post(reverse("admin:families_family_changelist"), data, follow=True)
        return [str(message) for message in response.context["messages"]]

    assert choose(theirs.family.pk) == choose(NOBODYS)
    assert choose(theirs.family.pk) == ["Cochez deux familles, ni plus ni moins."]


def test_doubles_are_those_of_ones_own_sites(desk, director, superuser, ours, theirs, annexe):
    """One half of a pair at another site is no pair: it would tell who is there."""
    for home in (ours, theirs):
        GuardianFactory(family=home.family, last_name="Pareil", mobile_phone="06 39 98 00 01")

    def found(reader):
        return {
            frozenset({double.one.family.name, double.other.family.name})
            for double in likely_doubles(reader=reader)
        }

    assert found(director) == {frozenset({"Nôtre"})}
    assert {frozenset({"Leur"}), frozenset({"Nôtre", "Leur"})} < found(superuser)
    assert "Leur" not in desk.get(reverse("admin:families_family_doubles")).text
    director.establishments.add(annexe)
    assert found(director) == found(superuser)


@pytest.mark.parametrize("model", ["families_merge", "families_erasurerequest"])
def test_a_log_is_that_of_ones_own_sites(desk, ours, theirs, model):
    row = {"families_merge": ours.merge, "families_erasurerequest": ours.asked}[model]

    page = desk.get(reverse(f"admin:{model}_changelist"))

    assert list(page.context["cl"].queryset) == [row]


def test_the_home_counts_the_requests_of_ones_own_sites(desk, ours, theirs):
    [figure] = [f for f in desk.get("/admin/").context["todo"] if "effacement" in f.label]

    assert figure.number == 1
    ErasureRequest.objects.filter(pk=ours.asked.pk).delete()
    assert not [f for f in desk.get("/admin/").context["todo"] if "effacement" in f.label]


def test_a_merge_of_an_erased_household_is_still_read(desk, ours):
    Merge.objects.update(details={})  # families/personal_data.py

    page = desk.get(reverse("admin:families_merge_change", args=[ours.merge.pk]))

    assert page.text.count("Effacé avec le foyer") == 2


def test_sessions_are_closed_for_the_accounts_of_ones_own_sites(desk, theirs):
    user = theirs.guardian.user
    data = {"action": "close_sessions", "_selected_action": [user.pk]}

    desk.post(reverse("admin:accounts_user_changelist"), data)

    assert User.objects.get(pk=user.pk).session_generation == 0
    assert not LogEntry.objects.exists()


class TestLists:
    @pytest.fixture(autouse=True)
    def _of_both_sites(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        for home in (ours, theirs):
            course = home.student.enrolments.get().course
            SlotFactory(course=course)

    @pytest.mark.parametrize(
        "list_",
        [FamilyList, GuardianList, StudentList, CustodyList, CourseList, SlotList, EnrolmentList],
    )
    def test_an_export_holds_the_rows_of_ones_own_sites(self, desk, director, superuser, list_):
        def exported(actor):
            desk.force_login(actor)
            answer = desk.post(reverse("admin:list_export", args=[list_.slug]), {"format": CSV})
            return answer.content.decode()

        here, everywhere = exported(director), exported(superuser)

        assert "Leur" not in here
        assert "Annexe" not in here
        assert len(everywhere.splitlines()) > len(here.splitlines()) > 1

    def test_a_filtered_export_too(self, desk):
        url = reverse("admin:list_export", args=["familles"])

        assert desk.post(f"{url}?q=leur", {"format": CSV}).content.decode().count("\n") == 1
        assert ListExport.objects.get().rows == 0
        assert desk.get(f"{url}?q=leur").context["total"] == 1

    @pytest.mark.parametrize(
        ("list_", "row"),
        [
            (FamilyList, {"Référence": "F-Leur", "Nom": "Pris", "Adresse": "1 rue"}),
            (
                GuardianList,
                {
                    "Référence de la famille": "F-Nôtre",
                    "Référence": "R-Leur",
                    "Nom": "Pris",
                    "Prénom": "P",
                },
            ),
            (
                StudentList,
                {
                    "Référence": "E-Leur",
                    "Nom": "Pris",
                    "Prénom": "P",
                    "Date de naissance": "31/12/2015",
                },
            ),
        ],
    )
    def test_a_reference_of_another_site_is_refused(self, director, superuser, list_, row):
        assert refusals(list_, director, row) == [(2, "Référence", ELSEWHERE)]
        assert all(told != ELSEWHERE for *_, told in refusals(list_, superuser, row))

    @pytest.mark.parametrize(
        ("list_", "row"),
        [
            (FamilyList, {"Nom": "Leur", "Adresse": "12 rue des Anges"}),
            (StudentList, {"Nom": "Leur", "Prénom": "P", "Date de naissance": "31/12/2015"}),
        ],
    )
    def test_a_number_of_another_site_is_one_of_nobody(self, director, list_, row):
        row_of = {FamilyList: self.theirs.family, StudentList: self.theirs.student}
        theirs = row | {"Référence": f"#{row_of[list_].pk}"}
        type(row_of[list_]).objects.update(reference=None)

        told = refusals(list_, director, theirs)

        assert told == refusals(list_, director, row | {"Référence": f"#{NOBODYS}"})
        assert told

    @pytest.mark.parametrize(
        ("list_", "row", "header", "cell"),
        [
            (
                GuardianList,
                {"Référence de la famille": "F-Nôtre", "Nom": "Pris", "Prénom": "P"},
                "Référence de la famille",
                "F-Leur",
            ),
            (
                CustodyList,
                {"Référence de l'élève": "E-Nôtre", "Référence de la famille": "F-Nôtre"},
                "Référence de l'élève",
                "E-Leur",
            ),
            (
                CustodyList,
                {"Référence de l'élève": "E-Nôtre", "Référence de la famille": "F-Nôtre"},
                "Référence de la famille",
                "F-Leur",
            ),
        ],
    )
    def test_a_row_is_given_no_relative_of_another_site(self, director, list_, row, header, cell):
        assert not refusals(list_, director, row)
        told = refusals(list_, director, row | {header: cell})

        assert told == refusals(list_, director, row | {header: "F-Inconnue"})
        assert told

    def test_the_same_people_at_another_site_are_neither_told_nor_changed(self, director):
        """Two rows then: the direction of both sites, or the superuser, merges them."""
        family, guardian, student = self.theirs.family, self.theirs.guardian, self.theirs.student
        before = as_they_are(self.theirs)
        here = {
            FamilyList: {
                "Référence": "F-1",
                "Nom": family.name,
                "Adresse": family.address,
                "Code postal": family.commune.postal_code,
                "Commune": family.commune.name,
            },
            GuardianList: {
                "Référence de la famille": "F-1",
                "Nom": guardian.last_name,
                "Prénom": guardian.first_name,
                "Adresse e-mail": "pris@example.org",
            },
            StudentList: {
                "Référence": "E-1",
                "Nom": student.last_name,
                "Prénom": student.first_name,
                "Date de naissance": f"{student.birth_date:%d/%m/%Y}",
            },
            CustodyList: {"Référence de l'élève": "E-1", "Référence de la famille": "F-1"},
        }

        for list_, row in here.items():
            assert check(list_, director, row).refused == []
            assert import_rows(list_, director, row) == (1, 0, 0)

        assert as_they_are(self.theirs) == before
        assert Custody.objects.get(family__reference="F-1").student.reference == "E-1"
        assert Guardian.objects.filter(email="pris@example.org").get().family.reference == "F-1"
        assert Student.objects.filter(last_name=student.last_name).count() == 2

    @pytest.mark.parametrize(
        ("list_", "header"),
        [(CourseList, "Cours"), (SlotList, "De")],
    )
    def test_courses_and_slots_are_those_of_ones_own_sites(
        self, director, superuser, list_, header
    ):
        content, _ = list_(superuser).file_of(list_(superuser).rows(), CSV)
        received = spreadsheets.receive(list_(director), "liste.csv", content)

        report = list_(director).check(spreadsheets.sheet_of(received))

        headers = {refusal.header for line in report.refused for refusal in line.refusals}
        assert len(report.refused) == len(report.lines) / 2
        assert "Établissement" in headers or header in headers
        assert not report.changed

    @pytest.mark.parametrize("model", ["accounts_listimport", "accounts_listexport"])
    def test_the_log_is_that_of_the_agents_of_ones_own_sites(self, desk, director, annexe, model):
        colleague = UserFactory(is_staff=True, establishments=[annexe])
        for actor in (director, colleague):
            spreadsheets.receive(
                FamilyList(actor), "liste.csv", csv_of({"Nom": "", "Adresse": "1"})
            )
            spreadsheets.log_export(FamilyList(actor), rows=1)

        page = desk.get(reverse(f"admin:{model}_changelist"))

        [row] = page.context["cl"].queryset
        assert row.actor == director
        theirs = type(row).objects.exclude(pk=row.pk).get()
        page = desk.get(reverse(f"admin:{model}_change", args=[theirs.pk]))
        assert (page.status_code, page.url) == (302, "/admin/")
