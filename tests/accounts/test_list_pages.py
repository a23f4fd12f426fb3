"""« Listes » in the administration: who enters, the dry run, the import, the export, the log."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import ListExport, ListImport
from accounts.spreadsheets import services
from accounts.spreadsheets.reading import MAX_BYTES, read
from families.lists import FamilyList, GuardianList
from families.models import Family
from students.models import Student
from tests.factories import CommuneFactory, CustodyFactory, FamilyFactory, GuardianFactory
from tests.families.test_lists import LE_GOFF
from tests.lists import csv_of, xlsx_of
from tests.queries import count_queries

IMPORTED = ["familles", "responsables", "eleves", "gardes", "cours", "creneaux"]
EXPORTED = ["inscriptions", "dossiers", "factures", "absences"]


@pytest.fixture
def staff(client, registrar):
    CommuneFactory()
    client.force_login(registrar)
    return client


def send(client, content, slug="familles", name="familles.csv"):
    url = reverse("admin:list_import", args=[slug])
    return client.post(url, {"file": SimpleUploadedFile(name, content)})


def check_of(client, content, slug="familles"):
    """The address of the report, and the report."""
    response = send(client, content, slug)
    assert response.status_code == 302, response.context["form"].errors
    return response.url, client.get(response.url).context["report"]


def confirm(client, url, fingerprint):
    return client.post(url, {"fingerprint": fingerprint}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def stored():
    return storages["private"].listdir("lists")[1] if storages["private"].exists("lists") else []


class TestWhoEnters:
    def statuses(self, client, received=None):
        pages = {"listes": reverse("admin:lists")}
        for slug in [*IMPORTED, *EXPORTED]:
            pages[f"{slug} export"] = reverse("admin:list_export", args=[slug])
            pages[f"{slug} import"] = reverse("admin:list_import", args=[slug])
            pages[f"{slug} template"] = reverse("admin:list_template", args=[slug, "csv"])
        return {name: client.get(url).status_code for name, url in pages.items()}

    def test_the_secretariat(self, staff):
        expected = {"listes": 200}
        for slug in IMPORTED:
            expected |= {f"{slug} {page}": 200 for page in ("export", "import", "template")}
        for slug in EXPORTED:  # rows with a state: out only
            expected |= {f"{slug} export": 200, f"{slug} import": 404, f"{slug} template": 404}

        assert self.statuses(staff) == expected | {"factures export": 403}

    def test_the_regie_takes_out_the_invoices_and_nothing_else(self, client, accountant):
        client.force_login(accountant)

        answers = self.statuses(client)

        assert {name for name, status in answers.items() if status == 200} == {
            "listes",
            "factures export",
        }
        assert set(answers.values()) == {200, 403, 404}

    @pytest.mark.parametrize("who", ["parent", "teacher", None])
    def test_nobody_else(self, client, request, who):
        if who:
            person = request.getfixturevalue(who)
            client.force_login(getattr(person, "user", person))

        assert set(self.statuses(client).values()) == {302}  # the door of the administration

    def test_an_agent_without_a_list(self, client, registrar):
        registrar.groups.clear()
        client.force_login(registrar)

        assert client.get(reverse("admin:lists")).status_code == 403

    def test_what_does_not_exist(self, staff):
        for name, args in [
            ("list_import", ["rien"]),
            ("list_export", ["rien"]),
            ("list_template", ["familles", "pdf"]),
        ]:
            assert staff.get(reverse(f"admin:{name}", args=args)).status_code == 404

    def test_the_home_page_leads_there(self, staff, client, accountant, registrar):
        link = f'href="{reverse("admin:lists")}"'
        assert link in staff.get(reverse("admin:index")).text

        registrar.groups.clear()
        assert link not in staff.get(reverse("admin:index")).text

    def test_another_agents_file_is_not_found(self, staff, director):
        url, report = check_of(staff, csv_of(LE_GOFF))
        staff.force_login(director)

        assert staff.get(url).status_code == 404
        assert staff.post(url, {"fingerprint": report.fingerprint}).status_code == 404
        assert not Family.objects.exists()

    def test_a_right_that_is_gone_since_the_check(self, staff, registrar):
        url, report = check_of(staff, csv_of(LE_GOFF))
        registrar.groups.clear()

        assert staff.post(url, {"fingerprint": report.fingerprint}).status_code == 403
        assert not Family.objects.exists()


class TestImport:
    def test_nothing_is_written_before_the_yes(self, staff, registrar):
        url, report = check_of(staff, csv_of(LE_GOFF))
        assert (len(report.created), Family.objects.count()) == (1, 0)

        response = confirm(staff, url, report.fingerprint)

        family = Family.objects.get()
        assert (family.reference, response.context["report"]) == ("F-1", None)
        done = ListImport.objects.get()
        assert (done.actor, done.list, done.created, done.changed, done.unchanged) == (
            registrar,
            "familles",
            1,
            0,
            0,
        )
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id, entry.get_edited_object()) == (
            registrar,
            str(family.pk),
            family,
        )
        assert entry.change_message == "Import de «\u00a0familles.csv\u00a0», ligne 2."
        assert (done.file.name, stored()) == ("", [])  # the file is not kept

    def test_a_second_click_or_the_back_button_import_nothing_more(self, staff):
        url, report = check_of(staff, csv_of(LE_GOFF))
        confirm(staff, url, report.fingerprint)

        assert confirm(staff, url, report.fingerprint).status_code == 200
        assert (Family.objects.count(), LogEntry.objects.count()) == (1, 1)

    def test_with_an_error_nothing_is_imported(self, staff):
        url, report = check_of(staff, csv_of(LE_GOFF, LE_GOFF | {"Référence": "F-2", "Nom": ""}))
        page = staff.get(url).text
        assert "Cette case est vide" in page
        assert 'name="fingerprint"' not in page

        response = confirm(staff, url, report.fingerprint)

        assert told(response) == ["Des lignes sont refusées\u00a0: rien n'est importé."]
        assert not Family.objects.exists()

    def test_data_that_changed_since_the_check_are_told(self, staff):
        url, report = check_of(staff, csv_of(LE_GOFF))
        FamilyFactory(name="Le Goff-d'Aux", reference="F-1", commune=CommuneFactory())

        response = confirm(staff, url, report.fingerprint)

        assert told(response)[0].startswith("Les données ont changé depuis la vérification")
        assert Family.objects.get().address_more == ""
        again = response.context["report"]
        assert len(again.unchanged) == 1

    def test_a_row_that_changes_after_it_was_read_is_not_written_over(self, staff, monkeypatch):
        family = FamilyFactory(name="Le Goff", reference="F-1", commune=CommuneFactory())
        url, report = check_of(staff, csv_of(LE_GOFF))

        def check_then_somebody_types(self, sheet, check=FamilyList.check):
            found = check(self, sheet)
            Family.objects.update(name="Le Gof")
            return found

        monkeypatch.setattr(FamilyList, "check", check_then_somebody_types)
        response = confirm(staff, url, report.fingerprint)
        monkeypatch.undo()

        assert told(response)[0].startswith("Les données ont changé")
        family.refresh_from_db()
        assert family.name in ("Le Goff", "Le Gof")

    def test_a_reference_typed_at_this_very_moment_is_a_sentence(self, staff, monkeypatch):
        url, report = check_of(staff, csv_of(LE_GOFF))

        def save_too_late(self, created, changed, save=FamilyList.save):
            FamilyFactory(reference="F-1", commune=CommuneFactory())
            save(self, created, changed)

        monkeypatch.setattr(FamilyList, "save", save_too_late)
        response = confirm(staff, url, report.fingerprint)

        assert told(response)[0].startswith("Les données ont changé")

    def test_what_is_imported_is_what_was_checked(self, staff):
        """The file in the storage is not the one that was received."""
        url, report = check_of(staff, csv_of(LE_GOFF))
        received = ListImport.objects.get()
        received.file.storage.delete(received.file.name)
        other = csv_of(LE_GOFF | {"Nom": "Autre"})
        received.file.storage.save(received.file.name, SimpleUploadedFile("x", other))

        response = confirm(staff, url, report.fingerprint)

        assert told(response) == ["Ce fichier n'est plus gardé\u00a0: envoyez-le à nouveau."]
        assert not Family.objects.exists()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "Ce fichier ne contient aucune ligne sous celle des titres."),
            (b"PK\x03\x04", "Ce fichier est illisible ou abîmé"),
            (b"\xd0\xcf\x11\xe0", "Ce classeur est à l'ancien format .xls"),
            (b"Nom;Ville\nA;B\n", "Ce fichier n'a pas de colonne «\u00a0Adresse\u00a0»"),
            (b"x" * (MAX_BYTES + 1), "Ce fichier pèse plus de 5\u00a0Mo"),
        ],
    )
    def test_a_file_that_is_no_list_is_refused_at_once(self, staff, content, message):
        response = send(staff, content)

        assert response.status_code == 200
        ((sentence,),) = response.context["form"].errors.values()
        assert sentence.startswith(message)
        assert not ListImport.objects.exists()

    def test_without_a_file(self, staff):
        response = staff.post(reverse("admin:list_import", args=["familles"]))

        assert response.context["form"].errors == {"file": ["Choisissez un fichier."]}

    def test_the_name_of_the_file_says_nothing(self, staff):
        assert (
            send(staff, xlsx_of([*LE_GOFF], [*LE_GOFF.values()]), name="x.csv").status_code == 302
        )
        assert send(staff, csv_of(LE_GOFF), name=f"{'é' * 300}.xlsx").status_code == 302

    def test_a_storage_that_is_down_is_a_sentence(self, staff, monkeypatch):
        def full(*args, **kwargs):
            raise OSError

        monkeypatch.setattr(storages["private"].__class__, "save", full)

        ((sentence,),) = send(staff, csv_of(LE_GOFF)).context["form"].errors.values()

        assert sentence.startswith("Le fichier n'a pas pu être gardé")

    def test_hostile_cells_are_only_text(self, staff):
        script = "<script>alert(1)</script>"
        url, _ = check_of(staff, csv_of(LE_GOFF | {"Nom": script, script: "x"}))

        page = staff.get(url).text

        assert script not in page
        assert "&lt;script&gt;" in page

    def test_the_report_makes_as_many_queries_for_three_rows_as_for_one(self, staff):
        one, _ = check_of(staff, csv_of(LE_GOFF))
        three, _ = check_of(
            staff,
            csv_of(*[LE_GOFF | {"Référence": f"F-{n}", "Adresse": f"{n} rue"} for n in range(3)]),
        )

        assert count_queries(staff, one) == count_queries(staff, three)


class TestExport:
    def test_counts_then_gives_the_file_and_logs_it(self, staff, registrar):
        FamilyFactory.create_batch(2)
        url = reverse("admin:list_export", args=["familles"])
        page = staff.get(url)
        assert (page.context["count"], ListExport.objects.count()) == (2, 0)

        response = staff.post(url, {"format": "csv"})

        assert len(read(response.content).rows) == 2
        assert response["Content-Disposition"].startswith('attachment; filename="familles-20')
        assert "no-store" in response["Cache-Control"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert list(ListExport.objects.values_list("actor", "list", "rows")) == [
            (registrar.pk, "familles", 2)
        ]

    def test_is_filtered_as_the_page_is(self, staff):
        FamilyFactory(name="Nguyễn")
        GuardianFactory.create_batch(2, family__name="Martin", last_name="Zola", user=None)
        changelist = staff.get(reverse("admin:families_family_changelist"), {"q": "zola"})
        link = reverse("admin:list_export", args=["familles"]) + "?q=zola"
        assert f'href="{link}"' in changelist.text

        assert staff.get(link).context["count"] == 2
        rows = read(staff.post(link, {"format": "xlsx"}).content).rows.values()
        assert [row[1] for row in rows] == ["Martin", "Martin"]

    def test_students_of_a_household(self, staff):
        custody = CustodyFactory()
        CustodyFactory()

        link = reverse("admin:list_export", args=["eleves"])
        page = staff.get(link, {"families__id__exact": custody.family_id})

        assert (page.context["count"], page.context["total"]) == (1, Student.objects.count())

    def test_a_filter_that_is_none_is_forgotten(self, staff):
        link = reverse("admin:list_export", args=["familles"])

        assert staff.get(link, {"rien__id": "x"}).status_code in (302, 400)

    @pytest.mark.parametrize("format_", ["", "pdf", "xls"])
    def test_another_format_is_refused(self, staff, format_):
        url = reverse("admin:list_export", args=["familles"])

        assert "format" in staff.post(url, {"format": format_}).context["form"].errors
        assert not ListExport.objects.exists()

    @pytest.mark.parametrize("slug", [*IMPORTED, "inscriptions", "dossiers", "factures"])
    def test_every_list_goes_out_even_empty(self, client, director, slug):
        client.force_login(director)

        response = client.post(reverse("admin:list_export", args=[slug]), {"format": "xlsx"})

        assert response["Content-Type"].endswith("sheet")

    def test_a_household_that_asks_again_and_again(self, staff):
        """An export reads: a GET writes nothing, the log included."""
        staff.get(reverse("admin:list_export", args=["familles"]))

        assert not ListExport.objects.exists()


class TestForgetting:
    def test_a_file_never_imported_goes_after_a_day(self, staff, capsys):
        url, _ = check_of(staff, csv_of(LE_GOFF))
        check_of(staff, csv_of(LE_GOFF))
        ListImport.objects.filter(pk=url.split("/")[-2]).update(
            received_at=timezone.now() - dt.timedelta(days=1, minutes=1)
        )
        assert len(stored()) == 2

        call_command("purge_lists")

        assert capsys.readouterr().out == "Fichiers effacés : 1.\n"
        assert len(stored()) == 1
        assert "n'est plus gardé" in told(staff.get(url, follow=True))[0]
        assert ListImport.objects.count() == 2  # the log stays

    def test_a_storage_that_is_down_is_tried_again(self, staff, monkeypatch):
        check_of(staff, csv_of(LE_GOFF))
        ListImport.objects.update(received_at=timezone.now() - dt.timedelta(days=2))

        def down(*args, **kwargs):
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(storages["private"].__class__, "delete", down)
            services.purge()

        assert ListImport.objects.exclude(file="").exists()
        services.purge()
        assert not ListImport.objects.exclude(file="").exists()
        assert stored() == []


class TestLog:
    @pytest.mark.parametrize("model", ["listimport", "listexport"])
    def test_is_read_by_the_direction_alone(self, client, registrar, director, model):
        url = reverse(f"admin:accounts_{model}_changelist")
        client.force_login(registrar)
        assert client.get(url).status_code == 403

        client.force_login(director)
        assert client.get(url).status_code == 200
        assert client.get(reverse(f"admin:accounts_{model}_add")).status_code == 403


def test_the_links_of_a_list_are_those_of_the_agents_rights(staff, client, accountant):
    assert staff.get(reverse("admin:families_family_changelist")).text.count("/listes/") == 2
    assert staff.get(reverse("admin:students_enrolment_changelist")).text.count("/listes/") == 1

    client.force_login(accountant)
    assert "/listes/" not in client.get(reverse("admin:families_family_changelist")).text
    assert (
        "/listes/factures/exporter/" in client.get(reverse("admin:billing_invoice_changelist")).text
    )


def test_a_guardians_list_has_no_page_of_its_own(staff):
    FamilyFactory(reference="F-1")
    row = {"Référence de la famille": "F-1", "Nom": "Le Goff", "Prénom": "Yann"}
    url, report = check_of(staff, csv_of(row), "responsables")

    response = confirm(staff, url, report.fingerprint)

    assert response.context["received"].created == 1
    assert GuardianList.model.objects.get().first_name == "Yann"
