"""Whatever arrives, the answer is a French page: a field's error, a 400 or a 404, never a 500."""

from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from documents.models import DocumentType
from reenrolment.models import Launch, Reenrolment
from students.models import Student
from tests.documents.builders import make_pdf
from tests.factories import PieceRuleFactory
from tests.reenrolment.conftest import make_case
from tests.test_urls import FOUND, rows  # noqa: F401, a fixture
from tests.test_urls import address as address_of

HOSTILE = {
    "nul": "a\x00b",
    "four bytes": "🎺" * 50,
    "lone surrogate": "\udcff",
    "huge number": "9" * 5000,
    "negative": "-1",
    "markup": "<script>alert(1)</script>",
    "long": "é" * 20_000,
    "empty": "",
}


@pytest.fixture
def case(student):
    PieceRuleFactory()
    return make_case(student)


def forms(case):
    """The address and the fields of every form that a family or nobody may send."""
    section = f"course-{case.theory.pk}"
    identity = reverse("students:identity", args=[case.student.pk])
    edit = reverse("reenrolment:edit", args=[case.student.pk])
    return [
        (reverse("accounts:sign_in"), ["establishment", "username", "password", "next"]),
        (reverse("accounts:lost_password"), ["username", "email", "depuis"]),
        (reverse("accounts:change_password"), ["current_password", "new_password"]),
        (reverse("accounts:change_email"), ["email", "current_password"]),
        (reverse("accounts:confirm_email"), ["jeton"]),
        (reverse("accounts:switch_site"), ["site", "next"]),
        (reverse("families:identity"), ["address", "commune", "initial-address"]),
        (identity, ["email", "phone", "school", "initial-school"]),
        (
            edit,
            [
                "administrative",
                "comment",
                f"{section}-wanted",
                f"{section}-slot_id",
                f"initial-{section}-slot_id",
                f"{section}-stop_reason",
                "send",
                "remove",
            ],
        ),
        (reverse("reenrolment:submit", args=[case.student.pk]), ["terms", "fingerprint", "accept"]),
    ]


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_in_every_form_are_answered(client, parent, case, kind, signed_in):
    case.fill_in()
    if signed_in:
        client.force_login(parent)

    statuses = {
        (address, field): client.post(
            # Encoded here: the client's own multipart takes bytes for a list of numbers.
            address,
            urlencode({field: HOSTILE[kind].encode("utf-8", "surrogateescape")}),
            content_type="application/x-www-form-urlencoded",
        ).status_code
        for address, fields in forms(case)
        for field in fields
    }

    assert {key: status for key, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_in_a_line_of_the_table_are_answered(client, parent, case, kind):
    client.force_login(parent)
    line = f"course-{case.theory.pk}"
    names = ["wanted", "slot_id", "stop_reason"]
    fields = [f"{before}{line}-{name}" for name in names for before in ("", "initial-")]

    for field in ["line", "site", *fields]:
        sent = {"line": line, f"{line}-wanted": "on", f"{line}-slot_id": str(case.slot.pk)}
        sent[field] = HOSTILE[kind].encode("utf-8", "surrogateescape")
        response = client.post(
            reverse("reenrolment:pick", args=[case.student.pk]),
            urlencode(sent),
            content_type="application/x-www-form-urlencoded",
        )
        assert response.status_code < 500, field


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_queries_are_answered(client, parent, case, kind):
    client.force_login(parent)
    value = HOSTILE[kind].encode("utf-8", "surrogateescape")

    for address in (reverse("students:pick"), reverse("accounts:sign_in"), reverse("imuse:enter")):
        for field in ("eleve", "onglet", "next", "espace"):
            assert client.get(address, {field: value}).status_code < 500


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_on_the_pages_of_a_launch_are_answered(client, superuser, case, kind):
    client.force_login(superuser)
    Launch.objects.create(campaign=case.campaign, actor=superuser, at=timezone.now())
    value = HOSTILE[kind].encode("utf-8", "surrogateescape")
    pages = {
        "launch": ["foyer"],
        "launch_rehearsal": ["voir", "page"],
        "launch_progress": ["q", "etat", "page"],
        "launch_letters": ["page"],
        "launch_letters_pdf": ["page"],
    }

    for page, fields in pages.items():
        address = reverse(f"admin:reenrolment_campaign_{page}", args=[case.campaign.pk])
        for field in fields:
            assert client.get(address, {field: value}).status_code < 500
    address = reverse("admin:reenrolment_campaign_launch", args=[case.campaign.pk])
    for field in ("expected", "confirm"):
        assert client.post(address, {field: value.decode(errors="replace")}).status_code < 500


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_on_the_pages_of_the_reminders_are_answered(client, superuser, case, kind):
    client.force_login(superuser)
    family = case.student.families.get()
    case.fill_in()
    value = HOSTILE[kind].encode("utf-8", "surrogateescape")
    typed = value.decode(errors="replace")
    address = reverse("admin:reenrolment_campaign_reminders", args=[case.campaign.pk])
    message = reverse("admin:reenrolment_campaign_reminder_message", args=[case.campaign.pk])

    for field in ("etape", "pieces", "type", "depuis"):
        assert client.get(address, {field: value}).status_code < 500
    for field in ("foyers", "montres", "foyer", "page", "cocher"):
        assert client.post(address, {field: typed}).status_code < 500
    for field in ("foyers", "word", "when", "planned_for", "exemple"):
        data = {"foyers": family.pk, "when": "plus-tard", "envoyer": "oui", field: typed}
        assert client.post(message, data).status_code < 500


def test_a_nul_in_the_query_is_a_french_400(client, superuser):
    """On PostgreSQL Django's own filters of the administration answer it by a 500."""
    client.force_login(superuser)

    response = client.get(reverse("admin:accounts_mail_changelist"), {"kind__exact": "a\x00b"})

    assert response.status_code == 400
    assert 'lang="fr"' in response.content.decode()


def test_ten_thousand_fields_are_a_french_400(client, parent, case):
    client.force_login(parent)

    response = client.post(
        reverse("reenrolment:edit", args=[case.student.pk]), {f"f{n}": "" for n in range(10_000)}
    )

    assert response.status_code == 400
    assert 'lang="fr"' in response.content.decode()


def test_too_many_files_or_too_long_a_text_are_a_french_400(client, parent, case):
    client.force_login(parent)
    address = reverse("reenrolment:edit", args=[case.student.pk])
    files = {f"f{n}": SimpleUploadedFile("a.pdf", b"x") for n in range(101)}

    for data in (files, {"comment": "é" * 2_000_000}):
        response = client.post(address, data)

        assert response.status_code == 400
        assert 'lang="fr"' in response.content.decode()
    assert not Reenrolment.objects.exists()


def test_a_file_of_eleven_megabytes_is_told_beside_its_field(client, parent, family, case):
    client.force_login(parent)
    key = f"{DocumentType.objects.get().pk}-f{family.pk}"
    content = make_pdf() + b"%" * 11_000_000

    response = client.post(
        reverse("reenrolment:edit", args=[case.student.pk]),
        {f"piece-{key}": SimpleUploadedFile("a.pdf", content)},
    )

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_piece-{key}"
    assert sentence.startswith("Votre fichier pèse 10,5\u00a0Mo")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"garbage"),
        ("multipart/form-data; boundary=", b"garbage"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a'),
        (f"multipart/form-data; boundary={'x' * 500}", b""),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
        ("application/x-www-form-urlencoded; charset=nope", b"a=b"),
    ],
)
def test_a_broken_body_is_answered(client, parent, case, content_type, body):
    client.force_login(parent)

    response = client.generic(
        "POST", reverse("reenrolment:edit", args=[case.student.pk]), body, content_type
    )

    assert response.status_code < 500


def test_doubled_fields_count_once(client, parent, case):
    client.force_login(parent)

    client.post(
        reverse("reenrolment:edit", args=[case.student.pk]), {"comment": ["premier", "second"]}
    )

    assert Reenrolment.objects.get().comment == "second"


def test_extra_fields_change_nothing(client, parent, case):
    client.force_login(parent)

    client.post(
        reverse("reenrolment:edit", args=[case.student.pk]),
        {"status": "validated", "top_rate": "on", "submitted_at": "2020-01-01", "student": "1"},
    )
    client.post(
        reverse("students:identity", args=[case.student.pk]),
        {"last_name": "Autre", "birth_date": "2000-01-01", "initial-last_name": "Martin"},
    )

    reenrolment = Reenrolment.objects.get()
    assert (reenrolment.status, reenrolment.top_rate) == ("draft", False)
    assert Student.objects.get(pk=case.student.pk).last_name == "Martin"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.pdf", "a\x00.pdf", "🎺.pdf", "a" * 500 + ".pdf", ".pdf", "CON.pdf "]
)
def test_hostile_file_names_are_answered(client, parent, family, case, name):
    client.force_login(parent)
    key = f"piece-{DocumentType.objects.get().pk}-f{family.pk}"

    response = client.post(
        reverse("reenrolment:edit", args=[case.student.pk]),
        {key: SimpleUploadedFile(name, b"\x00\xff" * 100, "application/pdf")},
    )

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["%00", "%ff%fe", "eleves/99999999999999999999/cours/", "🎺/"])
def test_hostile_addresses_are_not_found(client, parent, path):
    client.force_login(parent)

    response = client.get(f"/extranet/{path}")

    assert response.status_code == 404
    assert 'lang="fr"' in response.content.decode()


class Forms(HTMLParser):
    """`found`: where each form of a page goes, and what it would send."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form" and given.get("method") == "post":
            self.found.append((given.get("action") or "", {}))
        elif tag in ("input", "select", "textarea") and self.found and given.get("name"):
            self.found[-1][1][given["name"]] = given.get("value") or ""


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_in_every_form_of_a_teacher_are_answered(client, teacher, rows, kind):  # noqa: F811
    client.force_login(teacher.user)
    value, sent = HOSTILE[kind].encode("utf-8", "surrogateescape"), 0

    for name in (name for name in FOUND if name.startswith("teacher:")):
        page = address_of(name, rows)
        response = client.get(page)
        if response.status_code != 200 or "html" not in response["Content-Type"]:
            continue
        for action, fields in Forms(response.text).found:
            # Everything else is asked by somebody signed in.
            for field in fields if action != reverse("accounts:sign_out") else ():
                answer = client.post(
                    action or page,
                    urlencode(fields | {field: value}),
                    content_type="application/x-www-form-urlencoded",
                )
                assert answer.status_code < 500, (page, field)
                sent += 1

    assert sent > 120
