"""Every address of the extranet, and who may open it (security.md, « Who sees what »).

A new route that is not in the list fails the suite.
"""

import datetime as dt
import uuid

import pytest
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from billing import services as billing
from billing.enums import PeriodKind
from families import data_exports
from students import waiting
from students.enums import Scheduling
from students.models import Course, WaitingEntry
from teaching.announcements import opting_out
from teaching.announcements.files import join
from teaching.enums import Space
from teaching.lessons import Occurrence, find
from teaching.models import Concert, ConcertTurn, TimetableSettings
from teaching.timetable import feeds
from tests.documents.builders import make_pdf
from tests.factories import (
    CampaignFactory,
    ConcertFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EvaluationFactory,
    GuardianFactory,
    InvoiceLineFactory,
    PaymentPlanFactory,
    PeriodFactory,
    RentalFactory,
    RepertoirePieceFactory,
    SlotFactory,
    TeacherFactory,
    make_paid_attempt,
    make_portrait,
    make_turn,
)
from tests.teaching.announcement_cases import deliver, make_draft, write
from tests.teaching.register_cases import make_absence, make_notice

# What a GET answers to, in the order of WHO: 302 for nobody is the sign-in page, 405 a POST only.
# « household »: the other one of the same child, in alternating custody.
WHO = ["nobody", "parent", "household", "stranger", "teacher", "other_teacher"]
WHO += ["registrar", "accountant", "director"]


def due(nobody, *, owner, household=None, family=404, teacher=404, colleague=None, staff=404):
    """The answers for each of WHO; a tuple for `staff`: secretariat, régie, direction."""
    household = owner if household is None else household
    colleague = teacher if colleague is None else colleague
    staff = staff if isinstance(staff, tuple) else (staff,) * 3
    return (nobody, owner, household, family, teacher, colleague, *staff)


def anybody(nobody, signed_in):
    return (nobody, *(signed_in,) * (len(WHO) - 1))


PUBLIC = anybody(200, 200)
SIGNED_IN = anybody(302, 200)
SENT_ON = anybody(302, 302)
POST_ONLY = anybody(302, 405)
FAMILY = due(302, owner=200, family=200)  # any household: it sees its own
STUDENT = due(302, owner=200)  # either household of the student
HOUSEHOLD = due(302, owner=200, household=404)  # this one only
NOTHING_YET = due(302, owner=302)
NO_DOSSIER_YET = due(302, owner=404)
TEACHER = due(302, owner=404, teacher=200)  # any teacher: he sees his own classes
CLASS = due(302, owner=404, teacher=200, colleague=404)
BY_ITS_ADDRESS = anybody(200, 200)  # no session: the address, of a calendar say, is the secret
NEEDS_A_LINK = anybody(410, 410)  # and no session: the secret is in the address

# An attestation of payment has no key: it is of one's own household.
YEAR_PAID = (PeriodKind.CIVIL.value, timezone.localdate().year)

ROUTES = {
    "imuse:landing": PUBLIC,
    "imuse:accessibility": PUBLIC,
    "imuse:enter": SENT_ON,
    "imuse:home": FAMILY,
    "accounts:sign_in": anybody(200, 302),
    "accounts:sign_out": anybody(405, 405),
    "accounts:switch_site": POST_ONLY,
    "accounts:lost_password": PUBLIC,
    "accounts:lost_password_done": PUBLIC,
    "accounts:change_password": SIGNED_IN,
    "accounts:change_email": SIGNED_IN,
    "accounts:resend_email_change": POST_ONLY,
    "accounts:cancel_email_change": POST_ONLY,
    "accounts:confirm_email": NEEDS_A_LINK,
    "accounts:email_confirmed": PUBLIC,
    "accounts:choose_password": SENT_ON,
    "accounts:second_factor": SIGNED_IN,
    "accounts:start_second_factor": POST_ONLY,
    "accounts:enrol_second_factor": SENT_ON,  # once started
    "accounts:renew_recovery_codes": SENT_ON,  # once set up
    "accounts:remove_second_factor": SENT_ON,
    "accounts:verify_second_factor": SENT_ON,
    "accounts:connections": SIGNED_IN,
    "accounts:close_other_sessions": POST_ONLY,
    "accounts:session_state": PUBLIC,
    "accounts:extend_session": anybody(405, 405),
    "accounts:resume": SENT_ON,  # once something is kept
    "accounts:abandon": POST_ONLY,
    "families:identity": FAMILY,
    "families:my_data": FAMILY,
    "families:ask_export": POST_ONLY,
    "families:download_export": HOUSEHOLD,
    "families:ask_erasure": FAMILY,
    "students:index": due(302, owner=302, family=200, teacher=200, staff=200),
    "students:pick": NO_DOSSIER_YET,  # without ?eleve=
    "students:identity": STUDENT,
    "students:image_consent": POST_ONLY,
    "students:courses": STUDENT,
    "students:history": STUDENT,
    "students:repertoire": STUDENT,
    "teacher:index": TEACHER,
    "teacher:classes": TEACHER,
    "teacher:all_lists": TEACHER,
    "teacher:all_files": TEACHER,
    "teacher:slot": CLASS,
    "teacher:slot_file": CLASS,
    "teacher:course": CLASS,
    "teacher:repertoire_slot": CLASS,
    "teacher:add_to_slot": CLASS,
    "teacher:repertoire_course": CLASS,
    "teacher:add_to_course": CLASS,
    "teacher:repertoire": CLASS,
    "teacher:add_piece": CLASS,
    "teacher:piece": CLASS,
    "teacher:remove_piece": POST_ONLY,
    "teacher:works": TEACHER,
    "teacher:concerts": TEACHER,
    "teacher:concert": TEACHER,  # any teacher of its site
    "teacher:concert_pdf": TEACHER,
    "teacher:propose_turn": TEACHER,
    "teacher:turn": CLASS,
    "teacher:withdraw_turn": POST_ONLY,
    "teaching:concerts": STUDENT,
    "teaching:concert": STUDENT,
    "teacher:evaluations": TEACHER,
    "teacher:evaluation_slot": CLASS,
    "teacher:evaluation_course": CLASS,
    "teacher:evaluation": CLASS,
    "teaching:evaluations": STUDENT,
    "teaching:bulletin": STUDENT,
    "teaching:bulletin_pdf": STUDENT,
    "teacher:week": TEACHER,
    "teacher:feed": TEACHER,
    "teacher:make_feed": POST_ONLY,
    "teacher:revoke_feed": POST_ONLY,
    "teacher:change_lesson": CLASS,
    "teaching:week": FAMILY,
    "teaching:student_week": STUDENT,
    "teaching:feed": FAMILY,
    "teaching:make_feed": POST_ONLY,
    "teaching:revoke_feed": POST_ONLY,
    "teaching:calendar": BY_ITS_ADDRESS,
    "teacher:course_file": CLASS,
    "teacher:hour": CLASS,
    "teacher:end_hour": POST_ONLY,
    "teacher:portrait": CLASS,
    "teacher:registers": TEACHER,
    "teacher:register": CLASS,
    "teaching:absences": STUDENT,
    "teaching:announce_absence": STUDENT,
    "teaching:withdraw_notice": POST_ONLY,
    "teaching:justify_absence": STUDENT,
    "teaching:announcements": FAMILY,
    "teaching:announcement": HOUSEHOLD,
    "teaching:read_announcement": POST_ONLY,
    "teaching:announcement_file": HOUSEHOLD,
    "teaching:message_preferences": FAMILY,
    "teaching:unsubscribe": BY_ITS_ADDRESS,
    "teacher:announcements": TEACHER,
    "teacher:write_to_slot": CLASS,
    "teacher:write_to_course": CLASS,
    "teacher:announcement": CLASS,
    "teacher:rewrite_announcement": due(302, owner=404, teacher=302, colleague=404),  # sent
    "teacher:send_announcement": POST_ONLY,
    "teacher:withdraw_announcement": POST_ONLY,
    "teacher:discard_announcement": POST_ONLY,
    "teacher:received_announcement": CLASS,
    "teacher:read_announcement": POST_ONLY,
    "teacher:announcement_file": CLASS,
    "documents:supplied": STUDENT,
    "documents:download": HOUSEHOLD,
    "documents:example": SIGNED_IN,
    "billing:index": SENT_ON,
    "billing:simulator": PUBLIC,
    "billing:cotisations": SIGNED_IN,
    "billing:locations": SIGNED_IN,
    "billing:rental": HOUSEHOLD,
    "billing:rental_contract": HOUSEHOLD,
    "billing:invoice": HOUSEHOLD,
    "billing:pay": due(302, owner=302, household=404),  # on to the invoice
    "billing:leave": due(302, owner=302, household=404),  # nothing left to pay
    "billing:payment": due(200, owner=200, household=404),  # nobody reads what is the same for all
    "billing:returned": PUBLIC,
    "billing:notified": anybody(405, 405),
    "billing:payments": SIGNED_IN,
    "billing:payment_plan": FAMILY,  # a setting: each household chooses for itself
    "billing:receipt": HOUSEHOLD,
    "billing:receipt_pdf": HOUSEHOLD,
    "billing:attestation": HOUSEHOLD,
    "billing:attestation_pdf": HOUSEHOLD,
    "billing:invoice_pdf": HOUSEHOLD,
    "reenrolment:edit": STUDENT,
    "reenrolment:pick": NOTHING_YET,  # a GET leads to the page
    "reenrolment:check": NOTHING_YET,
    "reenrolment:submit": NO_DOSSIER_YET,
    "reenrolment:confirmation": NOTHING_YET,
    "reenrolment:complete": NO_DOSSIER_YET,
    "reenrolment:withdraw": NO_DOSSIER_YET,
    "reenrolment:take_up": NO_DOSSIER_YET,
    "reenrolment:waiting": STUDENT,
    "reenrolment:offer": STUDENT,
    "reenrolment:draw": NO_DOSSIER_YET,  # a campaign of the first come has none
    "reenrolment:draw_numbers": NO_DOSSIER_YET,
    "reenrolment:assist": due(302, owner=404, staff=(200, 404, 200)),
    "reenrolment:stop_assisting": POST_ONLY,
}


# Those whose key is a UUID.
KEYS_AT_RANDOM = {"documents:download", "teacher:portrait"}
KEYS_AT_RANDOM |= {"teacher:announcement_file", "teaching:announcement_file"}


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
def household(student):
    """The other household of Louise, in alternating custody."""
    guardian = GuardianFactory(user__username="durand.p", last_name="Durand", first_name="Paul")
    CustodyFactory(student=student, family=guardian.family, rank=2)
    return guardian.user


@pytest.fixture
def other_teacher(establishment):
    """Of no class of Louise's."""
    return TeacherFactory(user__username="delattre.n")


@pytest.fixture
def rows(student, parent, family, teacher, director):
    """One row of each kind, all of the household of `parent`, in the class of `teacher`."""
    CampaignFactory()
    course = CourseFactory(scheduling=Scheduling.TEACHER, teacher=teacher)
    enrolment = EnrolmentFactory(student=student, course=course)
    seated = EnrolmentFactory(
        student=student,
        course=(lesson := SlotFactory(teacher=teacher)).course,
        place=lesson.places.get(),
    )
    period = PeriodFactory()
    EvaluationFactory(enrolment=enrolment, period=period, published=True)
    piece = RepertoirePieceFactory(student=student, course=course, teacher=teacher)
    turn, announced = make_concerts(seated, teacher)
    invoice = InvoiceLineFactory(invoice__family=family).invoice
    attempt = make_paid_attempt(billing.issue(invoice, actor=director))
    rental = RentalFactory(family=family, student=student)
    payment = attempt.payment
    export = data_exports.ask(family, actor=parent)
    data_exports.prepare_next()
    awaited, wish = await_place(student)
    called, absence = make_absence(student, teacher)
    notice = make_notice(student, family, actor=parent)
    return {
        "families": export.pk,
        "students": student.pk,
        "reenrolment": student.pk,
        "reenrolment:waiting": (student.pk, awaited.pk),
        "reenrolment:offer": (student.pk, wish.pk),
        "documents:supplied": student.pk,
        "documents:download": DocumentFactory(family=family).pk,
        "documents:example": DocumentTypeFactory(shown=True).pk,
        "billing": invoice.pk,
        "billing:rental": rental.pk,
        "billing:rental_contract": rental.pk,
        "billing:leave": attempt.pk,
        "billing:payment": attempt.pk,
        "billing:receipt": payment.pk,
        "billing:receipt_pdf": payment.pk,
        "billing:payment_plan": PaymentPlanFactory().pk,
        "billing:attestation": YEAR_PAID,
        "billing:attestation_pdf": YEAR_PAID,
        "teacher:evaluation_slot": (period.pk, lesson.pk),
        "teacher:evaluation_course": (period.pk, course.pk),
        "teacher:evaluation": (period.pk, seated.pk),
        "teacher:repertoire_slot": lesson.pk,
        "teacher:add_to_slot": lesson.pk,
        "teacher:repertoire_course": course.pk,
        "teacher:add_to_course": course.pk,
        "teacher:repertoire": seated.pk,
        "teacher:add_piece": seated.pk,
        "teacher:piece": piece.pk,
        "teacher:remove_piece": piece.pk,
        **{
            f"teacher:{name}": turn.concert_id
            for name in ("concert", "concert_pdf", "propose_turn")
        },
        "teacher:turn": turn.pk,
        "teacher:withdraw_turn": turn.pk,
        "teaching:concert": (student.pk, announced.pk),
        "teaching": student.pk,
        **{f"teaching:{name}": (student.pk, period.pk) for name in ("bulletin", "bulletin_pdf")},
        "teacher:change_lesson": changeable_lesson(teacher).key,
        "teaching:student_week": student.pk,
        "teaching:calendar": calendar_token(parent),
        "teacher:all_lists": course.school_year_id,
        "teacher:all_files": course.school_year_id,
        "teacher:slot": lesson.pk,
        "teacher:slot_file": lesson.pk,
        "teacher:register": called,
        "teaching:withdraw_notice": (student.pk, notice.pk),
        "teaching:justify_absence": (student.pk, absence.pk),
        **announcement_keys(teacher, lesson, student),
        "teaching:unsubscribe": opting_out.SIGNER.sign(str(parent.guardian.pk)),
        "teacher:write_to_slot": lesson.pk,
        "teacher:write_to_course": course.pk,
        "teacher:course": course.pk,
        "teacher:course_file": course.pk,
        "teacher:hour": enrolment.pk,
        "teacher:end_hour": enrolment.pk,
        "teacher:portrait": make_portrait(student).pk,
    }


def announcement_keys(teacher, slot, student) -> dict[str, object]:
    """One of his to the class, one of the administration to him, each with its file, both sent.

    The household that joins the student later has none: it is that of nobody to it.
    """
    sent = {}
    for space, draft in (
        ("teacher", make_draft(to_teachers=True)),
        ("teaching", write(slot, teacher)),
    ):
        sent[space] = join(draft, "programme.pdf", make_pdf())
        deliver(draft)
    received, written = (sent[space].announcement_id for space in ("teacher", "teaching"))
    return {
        **{f"teaching:{name}": written for name in ("announcement", "read_announcement")},
        "teaching:announcement_file": sent["teaching"].pk,
        **{
            f"teacher:{name}": written
            for name in (
                *["announcement", "rewrite_announcement", "send_announcement"],
                *["withdraw_announcement", "discard_announcement"],
            )
        },
        **{f"teacher:{name}": received for name in ("received_announcement", "read_announcement")},
        "teacher:announcement_file": sent["teacher"].pk,
    }


def make_concerts(enrolment, teacher) -> tuple[ConcertTurn, Concert]:
    """His turn in one that is open to proposals, and one that was announced, where he plays."""
    draft = ConcertFactory(proposals_until=timezone.localdate())
    announced = ConcertFactory(published=True)
    make_turn(announced, enrolment, told_at=timezone.now())
    return make_turn(draft, enrolment, proposed_by=teacher), announced


def changeable_lesson(teacher) -> Occurrence:
    """One of his, at a site that lets teachers change theirs."""
    slot = SlotFactory(teacher=teacher)
    TimetableSettings.objects.create(
        establishment=slot.course.establishment, teachers_change_lessons=True
    )
    first, _ = slot.course.school_year.lesson_days
    return find(slot, first + dt.timedelta(days=(slot.weekday - first.isoweekday()) % 7))


def calendar_token(user) -> str:
    return feeds.SIGNER.sign(feeds.make(user, Space.FAMILY).key)


def await_place(student) -> tuple[Course, WaitingEntry]:
    """A course of the coming year that is full, and the student's wish for its one slot.

    Without a dossier, which a wish makes: other routes are told apart by it.
    """
    slot = SlotFactory(course__coming=True, places=0)
    EnrolmentFactory(student=student, course__next_course=slot.course)
    waiting.set_wishes(student, slot.course, [slot], actor=None)
    return slot.course, WaitingEntry.objects.get(slot=slot)


def address(name, rows):
    """A key of `rows` stands for each of the address, unless it gives a tuple."""
    wanted = len(FOUND[name].pattern.converters)
    if not wanted:
        return reverse(name)
    keys = rows.get(name) or rows[name.split(":")[0]]
    return reverse(name, args=keys if isinstance(keys, tuple) else [keys] * wanted)


@pytest.mark.parametrize("who", WHO)
def test_each_route_answers_as_the_list_says(client, request, parent, stranger, rows, who):
    if who != "nobody":
        person = request.getfixturevalue(who)
        client.force_login(getattr(person, "user", person))

    answers = {name: client.get(address(name, rows)).status_code for name in ROUTES}

    assert answers == {name: expected[WHO.index(who)] for name, expected in ROUTES.items()}


def test_a_row_that_does_not_exist_is_not_found(client, parent, rows):
    """It answers as somebody else's row does."""
    client.force_login(parent)

    answers = {}
    for name in (name for name in ROUTES if FOUND[name].pattern.converters):
        missing = address(name, {name: uuid.uuid4() if name in KEYS_AT_RANDOM else 999_999})
        answers[name] = {client.get(missing).status_code, client.post(missing).status_code}

    assert len(answers) > 80
    assert {name: said for name, said in answers.items() if not said <= {404, 405}} == {}


def test_nobody_is_sent_to_the_sign_in_page(client, rows):
    asked = {name: address(name, rows) for name in ROUTES if ROUTES[name][0] == 302}

    answers = {name: client.get(at).url for name, at in asked.items()}

    doors = f"{reverse('accounts:sign_in')}?next="
    assert len(answers) > 80
    assert {name: url for name, url in answers.items() if not url.startswith(doors)} == {}
