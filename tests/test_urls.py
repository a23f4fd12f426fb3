"""Every address of the extranet, and who may open it (security.md, « Who sees what »).

A new route that is not in the list fails the suite.
"""

import uuid

import pytest
from django.urls import URLPattern, get_resolver, reverse

from billing import services as billing
from students.enums import Scheduling
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    InvoiceLineFactory,
    SlotFactory,
)

# What a GET answers to: nobody, the household that owns the row, another household, the teacher
# of the class, the secretariat. 302 for nobody is the sign-in page; 405: a POST only.
PUBLIC = (200, 200, 200, 200, 200)
SIGNED_IN = (302, 200, 200, 200, 200)
FAMILY = (302, 200, 200, 404, 404)  # any household: it sees its own
OWN_ROW = (302, 200, 404, 404, 404)
NO_DOSSIER_YET = (302, 404, 404, 404, 404)
TEACHER = (302, 404, 404, 200, 404)

ROUTES = {
    "imuse:landing": PUBLIC,
    "imuse:accessibility": PUBLIC,
    "imuse:enter": (302, 302, 302, 302, 302),
    "imuse:home": FAMILY,
    "accounts:sign_in": (200, 302, 302, 302, 302),
    "accounts:sign_out": (405, 405, 405, 405, 405),
    "accounts:switch_site": (302, 405, 405, 405, 405),
    "accounts:lost_password": PUBLIC,
    "accounts:lost_password_done": PUBLIC,
    "accounts:change_password": SIGNED_IN,
    "accounts:choose_password": (302, 302, 302, 302, 302),
    "accounts:second_factor": SIGNED_IN,
    "accounts:start_second_factor": (302, 405, 405, 405, 405),
    "accounts:enrol_second_factor": (302, 302, 302, 302, 302),  # once started
    "accounts:renew_recovery_codes": (302, 302, 302, 302, 302),  # once set up
    "accounts:remove_second_factor": (302, 302, 302, 302, 302),
    "accounts:verify_second_factor": (302, 302, 302, 302, 302),
    "families:identity": FAMILY,
    "students:index": (302, 302, 200, 200, 200),
    "students:pick": (302, 404, 404, 404, 404),  # without ?eleve=
    "students:identity": OWN_ROW,
    "students:courses": OWN_ROW,
    "students:history": OWN_ROW,
    "students:repertoire": OWN_ROW,
    "teacher:index": TEACHER,
    "teacher:slot": TEACHER,
    "teacher:course": TEACHER,
    "documents:supplied": OWN_ROW,
    "documents:download": OWN_ROW,
    "billing:index": (302, 302, 302, 302, 302),
    "billing:cotisations": SIGNED_IN,
    "billing:locations": SIGNED_IN,
    "billing:invoice": OWN_ROW,
    "reenrolment:edit": OWN_ROW,
    "reenrolment:check": (302, 302, 404, 404, 404),
    "reenrolment:submit": NO_DOSSIER_YET,
    "reenrolment:confirmation": (302, 302, 404, 404, 404),
    "reenrolment:complete": NO_DOSSIER_YET,
    "reenrolment:withdraw": NO_DOSSIER_YET,
    "reenrolment:take_up": NO_DOSSIER_YET,
    "reenrolment:assist": (302, 404, 404, 404, 200),
    "reenrolment:stop_assisting": (302, 405, 405, 405, 405),
}
WHO = ["nobody", "parent", "stranger", "teacher", "registrar"]


def routes(patterns=None, namespace=""):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{namespace}{pattern.name}", pattern
        elif pattern.namespace != "admin":
            inner = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)


FOUND = dict(routes())


def test_every_route_is_in_the_list_and_the_list_holds_no_other():
    assert sorted(FOUND) == sorted(ROUTES)


@pytest.fixture
def rows(student, family, teacher, director):
    """One row of each kind, all of the household of `parent`, in the class of `teacher`."""
    CampaignFactory()
    course = CourseFactory(scheduling=Scheduling.TEACHER, teacher=teacher)
    EnrolmentFactory(student=student, course=course)
    invoice = InvoiceLineFactory(invoice__family=family).invoice
    billing.issue(invoice, actor=director)
    return {
        "students": student.pk,
        "reenrolment": student.pk,
        "documents:supplied": student.pk,
        "documents:download": DocumentFactory(family=family).pk,
        "billing": invoice.pk,
        "teacher:slot": SlotFactory(teacher=teacher).pk,
        "teacher:course": course.pk,
    }


def address(name, rows):
    if not FOUND[name].pattern.converters:
        return reverse(name)
    return reverse(name, args=[rows.get(name) or rows[name.split(":")[0]]])


@pytest.mark.parametrize("who", WHO)
def test_each_route_answers_as_the_list_says(client, request, parent, stranger, rows, who):
    if who != "nobody":
        person = request.getfixturevalue(who)
        client.force_login(getattr(person, "user", person))

    answers = {name: client.get(address(name, rows)).status_code for name in ROUTES}

    assert answers == {name: expected[WHO.index(who)] for name, expected in ROUTES.items()}


@pytest.mark.parametrize("name", [name for name in ROUTES if FOUND[name].pattern.converters])
def test_a_row_that_does_not_exist_is_not_found(client, parent, rows, name):
    """It answers as somebody else's row does."""
    client.force_login(parent)
    missing = uuid.uuid4() if name == "documents:download" else 999_999

    statuses = {
        client.get(reverse(name, args=[missing])).status_code,
        client.post(reverse(name, args=[missing])).status_code,
    }

    assert statuses <= {404, 405}


@pytest.mark.parametrize("name", sorted(name for name in ROUTES if ROUTES[name][0] == 302))
def test_nobody_is_sent_to_the_sign_in_page(client, rows, name):
    response = client.get(address(name, rows))

    assert response.url.startswith(reverse("accounts:sign_in") + "?next=")
