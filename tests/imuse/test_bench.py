"""The parts of `make bench` that need no server: its forms, its figures, its tables."""

import asyncio

import pytest
from django.urls import resolve, reverse

from bench import pgbench, report
from bench.clients import LARGE, MULTIPART, Answer, Browser, Upload, multipart
from bench.evening import Evening
from bench.forms import find_form, pick
from bench.measures import Sample, percentile, rate, spread, unfair
from bench.pages import PAGES, Page
from bench.picks import FLOOR_SHAPES, FULL, Race
from bench.server import Server
from bench.town import Shape, count_queries_of, reset, settle, verify, verify_uploads
from bench.uploads import APART, TOGETHER, Beside, Rush
from documents.models import Document
from reenrolment.models import Reenrolment
from students.models import Hold, Student
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import CampaignFactory, CourseFactory, EnrolmentFactory, SlotFactory


@pytest.fixture
def offered(student, establishment):
    """Two free slots of the course that follows the student's own."""
    campaign = CampaignFactory()
    coming = CourseFactory(school_year=campaign.school_year, establishment=establishment)
    course = CourseFactory(establishment=establishment, next_course=coming)
    EnrolmentFactory(student=student, course=course)
    return [SlotFactory(course=coming), SlotFactory(course=coming)]


class TestForms:
    def test_a_pick_is_one_that_the_page_takes(self, client, parent, student, offered):
        client.force_login(parent)
        address = reverse("reenrolment:edit", args=[student.pk])

        form = find_form(client.get(address).content.decode(), "administrative")
        response = client.post(address, pick(form, 1))

        assert response.status_code == 302
        assert Hold.objects.get().place.slot == offered[1]
        assert Reenrolment.objects.get().administrative

    def test_picking_nothing_gives_the_place_back(self, client, parent, student, offered):
        client.force_login(parent)
        address = reverse("reenrolment:edit", args=[student.pk])
        for slot in (0, None):
            form = find_form(client.get(address).content.decode(), "administrative")
            client.post(address, pick(form, slot))

        assert not Hold.objects.exists()

    def test_a_refusal_is_said_with_the_word_that_the_bench_reads(
        self, client, parent, student, offered
    ):
        client.force_login(parent)
        address = reverse("reenrolment:edit", args=[student.pk])
        form = find_form(client.get(address).content.decode(), "administrative")
        offered[0].places.all().delete()

        response = client.post(address, pick(form, 0))

        assert response.status_code == 200
        assert Answer(200, "", response.content.decode(), 0, 1).says(FULL)

    def test_the_form_is_the_one_that_has_the_field(self, client, establishment):
        page = client.get(reverse("accounts:sign_in")).content.decode()

        assert find_form(page, "password").fields["establishment"] == str(establishment.pk)
        with pytest.raises(LookupError):
            find_form(page, "inconnu")


class TestTown:
    SHAPE = Shape(families=5, siblings=True, levels=2, slots=2, places=4, taken=1)

    def test_a_town_has_students_pages_and_nothing_wrong(self, db):
        cast = settle(self.SHAPE)

        assert Student.objects.exclude(first_name="Nouvel").count() == 9
        assert len(cast["households"]) == 5
        assert verify() == {
            "held": 0, "requested": 0, "submitted": 0, "oversold": [], "violations": [],
        }  # fmt: skip
        household = cast["households"][0]
        keys = {"student": household["student"], "invoice": household["invoice"]}
        paths = [path.format(**keys) for path in PAGES.values()]
        paths.remove(PAGES["Réinscription : vérifier"].format(**keys))
        assert set(count_queries_of(household["cookies"], paths)) == set(paths)

    def test_a_rush_is_undone(self, client, db):
        household = settle(self.SHAPE)["households"][0]
        client.cookies.load(household["cookies"])
        address = reverse("reenrolment:edit", args=[household["student"]])
        form = find_form(client.get(address).content.decode(), "administrative")
        client.post(address, pick(form, 0))
        recap = client.get(reverse("reenrolment:check", args=[household["student"]]))
        form = find_form(recap.content.decode(), "accept")
        client.post(form.action, form.fields | {"accept": "on"})

        assert verify()["submitted"] == verify()["requested"] == 1
        reset()
        assert verify()["submitted"] == verify()["requested"] == verify()["held"] == 0

    @pytest.mark.parametrize(
        ("field", "name", "make"),
        [("photo", "photo.jpg", make_jpeg), ("proof", "attestation.pdf", make_pdf)],
    )
    def test_a_file_sent_as_the_bench_sends_it_is_counted(self, client, db, field, name, make):
        household = settle(self.SHAPE)["households"][0]
        client.cookies.load(household["cookies"])
        address = reverse("reenrolment:edit", args=[household["student"]])
        fields = find_form(client.get(address).content.decode(), "administrative").fields
        file = Upload(name, make(), "application/octet-stream")

        body = multipart(fields, {household[field]: file})
        response = client.post(address, body, content_type=MULTIPART)

        assert response.status_code == 302
        assert verify_uploads() == {"sent": 1, "wrong": []}
        Document.objects.filter(uploaded_by__is_staff=False).update(sha256="0" * 64)
        assert len(verify_uploads()["wrong"]) == 1


@pytest.mark.parametrize(("size", "server"), [(10, "pages"), (LARGE, "uploads")])
def test_a_browser_sends_large_requests_to_the_server_of_the_uploads(monkeypatch, size, server):
    asked = []

    async def answer(port, request):
        asked.append(port)
        return b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"

    monkeypatch.setattr("bench.clients._exchange", answer)
    ports = {"pages": 1, "uploads": 2}
    servers = {name: Server(port, [], {}) for name, port in ports.items()}
    browser = Browser(servers["pages"], uploads=servers["uploads"])
    file = Upload("f.pdf", b"x" * size, "application/pdf")

    answer = asyncio.run(browser.post_files("/", {"name": "é"}, {"piece": file}))

    assert answer.status == 302
    assert asked == [ports[server]]


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_page_measured_has_an_address(path):
    assert resolve(path.format(student=12, invoice=3)).func


class TestMeasures:
    def test_a_spread_reads_the_median_first(self):
        assert f"{spread([3, 1, 2.5])}" == "2,50 (1,00–3,00)"

    @pytest.mark.parametrize(("rank", "value"), [(50, 5), (95, 10), (100, 10), (1, 1)])
    def test_percentile_is_a_value_that_was_measured(self, rank, value):
        assert percentile(range(1, 11), rank) == value

    def test_rate_runs_from_the_first_request_to_the_last_answer(self):
        assert rate([_answer(0, 1), _answer(1, 4)]) == 0.5

    def test_a_refusal_is_unfair_when_a_later_request_is_granted(self):
        refused = [_answer(0, 1), _answer(0, 3)]

        assert unfair(granted=[_answer(2, 4)], refused=refused) == 1
        assert unfair(granted=[_answer(0.5, 4)], refused=refused) == 0
        assert unfair(granted=[], refused=refused) == 0


class TestSql:
    KEYS = {"student": 10000000, "slot": 50000000}

    def test_each_client_plays_its_own_keys(self):
        select = 'SELECT "students_place"."id" FROM "students_place" ORDER BY y LIMIT 1'
        insert = "INSERT INTO hold VALUES (10000000, 60000007)"

        text = pgbench.script([[select, insert], ["COMMIT"]], self.KEYS, slots=20)

        assert text.splitlines() == [
            "\\set slot 50000000 + random(0, 19)",
            "\\set student 10000000 + 1 * :client_id",
            f"{select} \\gset place_",
            "INSERT INTO hold VALUES (:student, :place_id);",
            "COMMIT;",
        ]


class TestReport:
    def test_targets_missed_are_said(self):
        large = _sample(17, per_second=80)
        page = Page("Accueil", 7, floor=[_sample(10)], small=[_sample(16)], large=[large])

        assert report.missed_by_pages([page]) == [
            "Accueil : 16,0 ms de CPU pour 12,0 permis",
            "Accueil : 1,25 (1,25–1,25) de 900 à 20 000 élèves",
            "visée, les deux tiers de la vitesse du plancher : Accueil",
        ]
        assert report.missed_by_races([_race(10)]) == [
            "choix sur un créneau : 0,10 (0,10–0,10) du plancher pour 0,7"
        ]
        assert report.missed_by_sign_ins([_sample(40, per_second=12)]) == [
            "connexions : 12 (12–12) par seconde pour 30"
        ]
        assert report.missed_by_evening(_evening(seconds=2.0)) == ["soirée : p95 de 2000 ms"]
        assert report.missed_by_uploads(_rush(per_second=40)) == [
            "Accueil pendant les envois : p50 1,00 (1,00–1,00) fois plus long,"
            " 2,50 (2,50–2,50) fois moins de pages par seconde"
        ]

    def test_targets_reached_are_not(self):
        page = Page("Accueil", 7, floor=[_sample(10)], small=[_sample(11)], large=[_sample(12)])

        assert report.missed_by_pages([page]) == []
        assert report.missed_by_races([_race(90)]) == []
        assert report.missed_by_sign_ins([_sample(40, per_second=35)]) == []
        assert report.missed_by_evening(_evening(seconds=0.1)) == []
        assert report.missed_by_uploads(_rush(per_second=60)) == []

    def test_tables_have_a_line_for_each_measure(self):
        page = Page("Accueil", 7, floor=[_sample(10)], small=[_sample(11)])

        assert [line.count("|") for line in report.pages_table([page])[2:]] == [10] * 4
        assert [line.count("|") for line in report.picks_table([_race(90)])[2:]] == [8] * 3
        assert [line.count("|") for line in report.shapes_table([_race(90)])[2:]] == [4] * 6
        assert [line.count("|") for line in report.evening_table(_evening(1))[4:]] == [6] * 3
        pages = [line.count("|") for line in report.uploads_table(_rush(60))[2:]]
        assert pages == [8] * 5 + [0] + [5] * 4

    def test_the_evening_says_what_each_took_of_the_processor(self):
        told = "CPU par réponse : site 12,3 ms, base 3,0 ms, clients 0,5 ms."
        assert told in report.evening_table(_evening(1))


def _answer(sent_at, answered_at):
    return Answer(200, "", "", sent_at, answered_at)


def _sample(cpu_ms, per_second=100.0):
    return Sample(per_second, [0.01, 0.02], cpu_ms)


def _race(per_second):
    race = Race("un créneau", 1, picks=[_sample(9, per_second)], submissions=[_sample(9)])
    for shape in FLOOR_SHAPES:
        race.floor[shape].append(_sample(5, 100))
    return race


def _evening(seconds):
    evening = Evening(families=1, arrival=1, submitted=1, lasted=40)
    evening.cpu = {"site": 0.0123, "base": 0.003, "clients": 0.0005}
    evening.steps["accueil"].append(_answer(0, seconds))
    return evening


def _rush(per_second):
    """Apart, so many pages per second beside the uploads; on one server, next to none."""
    during = {APART: [_sample(0, per_second)], TOGETHER: [_sample(0, 1)]}
    page = Beside("Accueil", alone=[_sample(0, 100)], during=during)
    return Rush([page], sent={APART: [_sample(0, 5)], TOGETHER: [_sample(0, 5)]})
