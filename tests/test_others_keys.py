"""Somebody else's key, whatever the way: it answers as a key of nobody (security.md).

In the address: tests/test_urls.py. Here: query, body, hidden fields, names of fields, formsets.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import ModelChoiceField
from django.urls import reverse
from django.utils import timezone

from accounts.models import Establishment, User
from billing import services as billing
from billing.enums import PaymentMeans
from billing.models import InstrumentKind, Invoice, InvoiceLine, TariffCategory
from documents.models import Document, DocumentType
from families.models import Commune, Family, Guardian
from reenrolment.models import CourseChoice, Terms
from students.enums import Weekday
from students.models import (
    Course,
    Custody,
    Discipline,
    Enrolment,
    SchoolYear,
    Slot,
    Student,
    Teacher,
)
from teaching.models import Scale
from tests.answers import answer_of
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    InstrumentFactory,
    InvoiceLineFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
    TariffCategoryFactory,
    TariffRateFactory,
    TermsFactory,
    UserFactory,
)
from tests.reenrolment.conftest import make_case
from tests.test_urls import FOUND, KEYS_AT_RANDOM, address

NOBODYS = 987_654  # a key that no row has
LONG = count(700_001)


@pytest.fixture
def world(parent, student, family, teacher, registrar, accountant, director):
    """Ours: Louise's, at the Conservatoire. Theirs: another household's, at the Annexe.

    Their keys are long, so that nothing else on a page looks like one.
    """
    annexe = EstablishmentFactory(name="Annexe", pk=next(LONG))
    rule = PieceRuleFactory()
    case = make_case(student)
    case.fill_in()
    user = UserFactory(establishments=[annexe], pk=next(LONG))
    guardian = GuardianFactory(pk=next(LONG), family__pk=next(LONG), user=user)
    child = StudentFactory(pk=next(LONG))
    course = CourseFactory(establishment=annexe, coming=True, pk=next(LONG))
    line = InvoiceLineFactory(
        pk=next(LONG),
        invoice__pk=next(LONG),
        invoice__establishment=annexe,
        invoice__family=guardian.family,
    )
    theirs = {
        Establishment: annexe,
        User: user,
        Family: guardian.family,
        Guardian: guardian,
        Student: child,
        Custody: CustodyFactory(student=child, family=guardian.family, pk=next(LONG)),
        Course: course,
        Slot: SlotFactory(course=course, pk=next(LONG)),
        Enrolment: EnrolmentFactory(student=child, course__establishment=annexe, pk=next(LONG)),
        Terms: TermsFactory(establishment=annexe, pk=next(LONG)),
        Document: DocumentFactory(family=guardian.family),
        Invoice: line.invoice,
        InvoiceLine: line,
        TariffCategory: TariffCategoryFactory(establishment=annexe, pk=next(LONG)),
        Group: Group.objects.create(name="Autre"),
    }
    return SimpleNamespace(
        theirs=theirs,
        annexe=annexe,
        rule=rule,
        case=case,
        student=student,
        family=family,
        parent=parent,
        accountant=accountant,
        registrar=registrar,
        director=director,
    )


@dataclass(frozen=True)
class Way:
    """One way for a key to come in: who sends `data(key)` where; `mine` is a key that he may."""

    who: str
    url: str
    data: Callable[[object], dict]
    theirs: object
    mine: object = None
    method: str = "post"


def student_page(world, name):
    return reverse(f"reenrolment:{name}", args=[world.student.pk])


def guardian(world):
    key = world.theirs[Guardian].pk
    return Way(
        "parent",
        reverse("families:identity"),
        lambda key: {
            f"guardian-{key}-last_name": "Volé",
            f"initial-guardian-{key}-last_name": "Autre",
        },
        key,
    )


def wishes(world):
    """A better slot than the one that he has picked; the wishes seen are the form's own."""
    full = SlotFactory(course=world.case.slot.course, weekday=Weekday.FRIDAY, places=0)
    keys = [world.student.pk, full.course_id]
    return Way(
        "parent",
        reverse("reenrolment:waiting", args=keys),
        lambda key: {"wish_1": key},
        world.theirs[Slot].pk,
        full.pk,
    )


def piece(world, name):
    """A file for the other household's piece; `name` is the field that holds its key."""
    kind = world.rule.document_type_id

    def data(key):
        field = f"{kind}-f{key}"
        upload = SimpleUploadedFile("caf.pdf", make_jpeg() if name == "photos" else make_pdf())
        return {f"{name}-{field}": upload} if name in ("piece", "photos") else {name: field}

    return Way("parent", student_page(world, "edit"), data, world.theirs[Family].pk)


def change(world, who, row):
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    return who, url


def formset(world, who, row, prefix, theirs, mine, **fields):
    """One row that the page is told to know already, by its key; the page itself is right."""
    who, url = change(world, who, row)
    values = type(row).objects.values().get(pk=row.pk)
    page = {name.removesuffix("_id"): value for name, value in values.items() if value is not None}

    def data(key):
        named = {f"{prefix}-0-{name}": value for name, value in fields.items()}
        return (
            page
            | named
            | {
                f"{prefix}-TOTAL_FORMS": 1,
                f"{prefix}-INITIAL_FORMS": 1,
                f"{prefix}-0-id": key,
            }
        )

    return Way(who, url, data, world.theirs[theirs].pk, mine.pk)


def custody_row(world):
    mine = world.student.custodies.get()
    fields = {"family": world.family.pk, "rank": 1}
    return formset(world, "registrar", world.student, "custodies", Custody, mine, **fields)


def guardian_row(world):
    fields = {"last_name": "Volé", "first_name": "V"}
    mine = world.parent.guardian
    return formset(world, "registrar", world.family, "guardians", Guardian, mine, **fields)


def invoice_line(world):
    mine = InvoiceLineFactory(invoice__family=world.family)
    fields = {"label": "Volée", "amount": "1", "position": "1"}
    return formset(world, "accountant", mine.invoice, "lines", InvoiceLine, mine, **fields)


def student_of_a_rental(world):
    """Found by the name that both students bear; the answer is a custody's key."""
    url = reverse("admin:billing_instrument_rent", args=[InstrumentFactory().pk])
    return Way(
        "accountant",
        f"{url}?q={world.student.last_name}",
        lambda key: {
            "custody": key,
            "starts_on": timezone.localdate(),
            "ends_on": timezone.localdate(),
            **{"rent": 150, "months": 10, "deposit": 0},
        },
        world.theirs[Custody].pk,
        world.student.custodies.get().pk,
    )


def owed(world):
    """Two issued invoices of our household."""
    drafts = [InvoiceLineFactory(invoice__family=world.family).invoice for _ in range(2)]
    return [billing.issue(draft, actor=world.accountant) for draft in drafts]


def excess(world):
    """Our household's excess, to theirs: the form knows the invoices of the household only."""
    source, target = owed(world)
    billing.record_payment(
        source,
        amount=Decimal(48),
        means=PaymentMeans.CHEQUE,
        paid_on=source.issued_on,
        reference="CHQ 1",
        actor=world.accountant,
        overpaid=True,
    )
    return Way(
        "accountant",
        reverse("admin:billing_invoice_carry_over", args=[source.pk]),
        lambda key: {"target": key, "amount": "10", "confirmer": "oui"},
        world.theirs[Invoice].pk,
        target.pk,
    )


def deposit(world):
    """A part of the money for another household's invoice; the page answers for its own ones."""
    first, _ = owed(world)
    facts = {"amount": "10", "means": "cheque", "paid_on": first.issued_on, "reference": "CHQ 2"}
    return Way(
        "accountant",
        reverse("admin:billing_payment_deposit", args=[world.family.pk]),
        lambda key: {**facts, f"part-{key}": "10", "amount": "10"},
        world.theirs[Invoice].pk,
        first.pk,
    )


def place(world, kind):
    """`where` on the page that examines a dossier; it names a slot or a course."""
    world.case.submit(world.parent)
    choice = world.case.choice(world.case.choir)
    url = reverse(
        "admin:reenrolment_reenrolment_place", args=[world.case.reenrolment.pk, choice.pk]
    )
    theirs = {"slot": Slot, "course": Course}[kind]
    return Way("registrar", url, lambda key: {"where": f"{kind}-{key}"}, world.theirs[theirs].pk)


def complement(world):
    world.case.submit(world.parent)
    pk = world.case.reenrolment.pk
    kind = world.rule.document_type_id
    return Way(
        "registrar",
        reverse("admin:reenrolment_reenrolment_request_complement", args=[pk]),
        lambda key: {"pieces": [f"{kind}-f{key}"], "until": "2099-01-01"},
        world.theirs[Family].pk,
        world.family.pk,
    )


def action(name, model, who, mine):
    def way(world):
        opts = model._meta
        return Way(
            who,
            reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
            lambda key: {"action": name, "_selected_action": [key]},
            world.theirs[model].pk,
            mine(world),
        )

    return way


WAYS = {
    "the student picked": lambda w: Way(
        "parent",
        reverse("students:pick"),
        lambda key: {"eleve": key},
        w.theirs[Student].pk,
        w.student.pk,
        method="get",
    ),
    "the site to switch to": lambda w: Way(
        "parent",
        reverse("accounts:switch_site"),
        lambda key: {"site": key},
        w.annexe.pk,
        Establishment.objects.get(name="Conservatoire").pk,
    ),
    "a guardian's field": guardian,
    "a course's field": lambda w: Way(
        "parent",
        student_page(w, "edit"),
        lambda key: {f"course-{key}-wanted": "on"},
        w.theirs[Enrolment].pk,
    ),
    "the slot of a course": lambda w: Way(
        "parent",
        student_page(w, "edit"),
        lambda key: {
            f"course-{w.case.theory.pk}-wanted": "on",
            f"course-{w.case.theory.pk}-slot_id": key,
        },
        w.theirs[Slot].pk,
        w.case.slot.pk,
    ),
    "a line": lambda w: Way(
        "parent",
        student_page(w, "pick"),
        lambda key: {"line": f"course-{key}", f"course-{key}-wanted": "on"},
        w.theirs[Enrolment].pk,
        w.case.theory.pk,
    ),
    "the slot of a line": lambda w: Way(
        "parent",
        student_page(w, "pick"),
        lambda key: {
            "line": f"course-{w.case.theory.pk}",
            f"initial-course-{w.case.theory.pk}-wanted": "True",
            f"initial-course-{w.case.theory.pk}-slot_id": w.case.slot.pk,
            f"course-{w.case.theory.pk}-wanted": "on",
            f"course-{w.case.theory.pk}-slot_id": key,
        },
        w.theirs[Slot].pk,
        w.case.slot.pk,
    ),
    "the course waited for": lambda w: Way(
        "parent", student_page(w, "edit"), lambda key: {"wait": key}, w.theirs[Course].pk
    ),
    "the slots wished for": wishes,
    "the site of a form": lambda w: Way(
        "parent", student_page(w, "edit"), lambda key: {"site": key}, w.annexe.pk
    ),
    "a piece's file": lambda w: piece(w, "piece"),
    "the photos of a piece's pages": lambda w: piece(w, "photos"),
    "a piece sent": lambda w: piece(w, "send"),
    "a piece taken back": lambda w: piece(w, "remove"),
    "the terms accepted": lambda w: Way(
        "parent",
        student_page(w, "submit"),
        lambda key: {"accept": "on", "terms": key, "fingerprint": "x"},
        w.theirs[Terms].pk,
    ),
    "the household at the counter": lambda w: Way(
        "registrar",
        student_page(w, "assist"),
        lambda key: {"family": key},
        w.theirs[Family].pk,
        w.family.pk,
    ),
    "the household of a letter": lambda w: Way(
        "registrar",
        reverse("admin:families_erasurerequest_add"),
        lambda key: {"family": key, "text": "Lettre."},
        w.theirs[Family].pk,
        w.family.pk,
    ),
    "a custody's row": custody_row,
    "a guardian's row": guardian_row,
    "an invoice's line": invoice_line,
    "the slot of a placement": lambda w: place(w, "slot"),
    "the course of a placement": lambda w: place(w, "course"),
    "the pieces of a complement": complement,
    "the course of the waiting lists": lambda w: Way(
        "registrar",
        reverse("admin:students_waitingentry_changelist"),
        lambda key: {"cours": key},
        w.theirs[Course].pk,
        method="get",
    ),
    "the household of a preview": lambda w: Way(
        "registrar",
        reverse("admin:reenrolment_campaign_launch", args=[w.case.campaign.pk]),
        lambda key: {"foyer": key},
        w.theirs[Family].pk,
        w.family.pk,
        method="get",
    ),
    "the households of a reminder": lambda w: Way(
        "registrar",
        reverse("admin:reenrolment_campaign_reminder_message", args=[w.case.campaign.pk]),
        lambda key: {"foyers": key},
        w.theirs[Family].pk,
        w.family.pk,
    ),
    "the student of a rental": student_of_a_rental,
    "the households of a payment reminder": lambda w: Way(
        "accountant",
        reverse("admin:billing_invoice_reminder_message"),
        lambda key: {"foyers": key},
        w.theirs[Family].pk,
    ),
    "the invoice that an excess pays": excess,
    "the invoices of a deposit": deposit,
    "the course of a notice": lambda w: Way(
        "parent",
        reverse("teaching:announce_absence", args=[w.student.pk]),
        lambda key: {"first_on": timezone.localdate().isoformat(), "course": key},
        w.theirs[Course].pk,
        w.case.theory.course_id,
    ),
    "enrolments confirmed": action("confirm", Enrolment, "registrar", lambda w: w.case.theory.pk),
    "pieces accepted": action(
        "accept", Document, "registrar", lambda w: DocumentFactory(family=w.family).pk
    ),
    "invoices issued": action(
        "issue", Invoice, "accountant", lambda w: InvoiceLineFactory().invoice.pk
    ),
    "accounts unlocked": action("unlock", User, "registrar", lambda w: w.parent.pk),
}


def as_they_are(world):
    return [model.objects.filter(pk=row.pk).values().get() for model, row in world.theirs.items()]


@pytest.mark.parametrize("way", WAYS)
def test_somebody_elses_key_answers_as_nobodys(client, world, way):
    way = WAYS[way](world)
    client.force_login(getattr(world, way.who))
    nobodys = "0" * 32 if way.theirs == world.theirs[Document].pk else NOBODYS

    def answer(key):
        response = getattr(client, way.method)(way.url, way.data(key))
        followed = [response]
        while followed[-1].status_code == 302:
            followed.append(client.get(followed[-1].url))
        return [answer_of(each, key) for each in followed]

    before = as_they_are(world)
    answer(nobodys)  # a form may change what is ours, the first time
    assert answer(way.theirs) == answer(nobodys)
    assert as_they_are(world) == before
    assert not CourseChoice.objects.filter(enrolment=world.theirs[Enrolment]).exists()
    if way.mine is not None:  # the way is the right one
        assert answer(way.mine) != answer(nobodys)


# What each address of the extranet that takes a POST reads of it, besides the row that its
# address names; a new one that is not here fails the suite.
BODIES = {
    "accounts:sign_in": "establishment: public, and checked with the password",
    "accounts:sign_out": "nothing",
    "accounts:switch_site": "the site to switch to",
    "accounts:lost_password": "an identifiant and an address: test_lost_password.py",
    "accounts:change_password": "passwords of request.user",
    "accounts:choose_password": "passwords of request.user",
    "accounts:change_email": "an address and the password of request.user",
    "accounts:resend_email_change": "nothing",
    "accounts:cancel_email_change": "nothing",
    "accounts:confirm_email": "the secret of a mail: test_confirm_email.py",
    "accounts:close_other_sessions": "nothing",
    "accounts:extend_session": "nothing",
    "accounts:abandon": "nothing",
    "accounts:start_second_factor": "nothing",
    "accounts:enrol_second_factor": "a code of request.user",
    "accounts:renew_recovery_codes": "a code of request.user",
    "accounts:remove_second_factor": "a code of request.user",
    "accounts:verify_second_factor": "a code of request.user",
    "families:identity": "a guardian's field",  # commune: public
    "families:ask_export": "nothing",
    "families:ask_erasure": "a text",
    "students:identity": "no key",
    "students:image_consent": "a yes or a no",
    "teacher:hour": "no key",
    "teacher:end_hour": "a day",
    "teacher:register": "the marks of the class: tests/teaching/test_register.py",
    "teaching:announce_absence": "the course of a notice",
    "teaching:withdraw_notice": "nothing",
    "teaching:justify_absence": "a text",
    "teaching:read_announcement": "nothing",
    "teaching:message_preferences": "a yes or a no",
    "teaching:unsubscribe": "nothing",
    "teacher:write_to_slot": "a key, a file's: tests/teaching/test_announcements_teacher.py",
    "teacher:write_to_course": "a key, a file's: tests/teaching/test_announcements_teacher.py",
    "teacher:rewrite_announcement": "a file's key: test_announcements_teacher.py",
    "teacher:send_announcement": "an edition",
    "teacher:withdraw_announcement": "nothing",
    "teacher:discard_announcement": "nothing",
    "teacher:read_announcement": "nothing",
    "billing:pay": "the rank of an instalment",
    "billing:payment_plan": "a number of parts",
    "billing:returned": "an idOp: tests/billing/payfip/test_pages.py",
    "billing:notified": "an idOp: tests/billing/payfip/test_pages.py",
    "teacher:add_piece": "a work: public",
    "teacher:add_to_slot": "the students of a piece: tests/teaching/test_repertoire_teacher.py",
    "teacher:add_to_course": "the same",
    "teacher:piece": "a work: public",
    "teacher:remove_piece": "nothing",
    "teacher:propose_turn": "the students of a turn: tests/teaching/test_concerts_pages.py",
    "teacher:turn": "the same",
    "teacher:withdraw_turn": "nothing",
    "teacher:evaluation": "a criterion's field, a course to come: test_evaluations_teacher.py",
    "reenrolment:edit": "a course's field",
    "reenrolment:pick": "a line, the slot of a line",
    "reenrolment:submit": "the terms accepted",
    "reenrolment:complete": "a piece's file",  # by the same saving as `edit`
    "reenrolment:withdraw": "the site of a form",
    "reenrolment:take_up": "the site of a form",
    "reenrolment:waiting": "the slots wished for",
    "reenrolment:offer": "nothing",
    "teacher:make_feed": "nothing",
    "teacher:revoke_feed": "nothing",
    "teacher:change_lesson": "no key",
    "teaching:make_feed": "nothing",
    "teaching:revoke_feed": "nothing",
    "reenrolment:assist": "the household at the counter",
    "reenrolment:stop_assisting": "nothing",
}


def test_every_address_that_takes_a_form_is_here(client, parent):
    """Django tells what an address allows when it is asked for something else."""
    client.force_login(parent)

    def allows(name):
        key = uuid.uuid4() if name in KEYS_AT_RANDOM else 1
        return client.options(address(name, {name: key})).headers.get("Allow", "")

    assert {name for name in FOUND if "POST" in allows(name)} == set(BODIES)


# --- The forms of the administration --------------------------------------------------------

TOWN = {
    SchoolYear,
    Discipline,
    Commune,
    DocumentType,
    InstrumentKind,
    Teacher,
    Scale,
}  # of no site: everybody's to choose


def fields_of(page):
    """The fields of an admin page that hold a key: of its form, and of a new row of each inline."""
    forms = [page.context["adminform"].form]
    forms += [inline.formset.empty_form for inline in page.context["inline_admin_formsets"]]
    for form in forms:
        for name, field in form.fields.items():
            own = {"id", getattr(getattr(form, "instance", None), "_meta", None).pk.name}
            if isinstance(field, ModelChoiceField) and name not in own:
                yield name, field


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.label)
def test_no_form_of_the_administration_takes_a_row_of_another_site(client, world, model):
    """Neither to add nor to change; a new field that holds a key is seen here by itself."""
    opts = model._meta
    client.force_login(world.director)
    pages = [client.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_add"))]
    CampaignFactory()
    InvoiceLineFactory(invoice__family=world.family)
    TariffRateFactory()
    if ours := admin.site.get_model_admin(model).get_queryset(pages[0].wsgi_request).first():
        pages.append(client.get(change(world, "director", ours)[1]))

    for page in pages:
        if page.status_code != 200 or "adminform" not in page.context:
            continue
        for name, field in fields_of(page):
            target = field.queryset.model
            if target in TOWN:
                continue
            assert target in world.theirs, f"Whose is {name}?"
            assert not field.queryset.filter(pk=world.theirs[target].pk).exists(), name


@pytest.mark.parametrize(
    ("field", "model"),
    [("enrolment.student", Student), ("custody.family", Family), ("guardian.user", User)],
)
def test_no_search_of_the_administration_finds_a_row_of_another_site(client, world, field, model):
    app = {"enrolment": "students", "custody": "students", "guardian": "families"}
    source, name = field.split(".")
    query = {"app_label": app[source], "model_name": source, "field_name": name}
    client.force_login(world.director)

    def found(model_key):
        results = client.get(reverse("admin:autocomplete"), query | {"term": ""}).json()["results"]
        return str(model_key) in {row["id"] for row in results}

    ours = {Student: world.student, Family: world.family, User: world.parent}[model]
    assert found(ours.pk)
    assert not found(world.theirs[model].pk)
