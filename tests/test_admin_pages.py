"""Every page and action of the administration, and who may open it: played over HTTP.

A new page, action or right that is not in these lists fails the suite.
"""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from accounts.models import ListExport, ListImport
from billing import services as billing
from billing.models import PaymentReminder, RegieSettings
from families import erasures
from families.enums import MergeKind
from families.models import Commune, Merge
from reenrolment.enums import CampaignMode
from reenrolment.models import Allocation, Allotment, AssistedSession
from reenrolment.services import assisting, launches
from students import waiting
from students.enums import Weekday
from students.models import Discipline, SchoolYear
from teaching.announcements.files import join
from teaching.enums import ClosureKind
from teaching.lessons import find
from teaching.models import Closure, Lesson, PortraitSource, RegisterSettings, TimetableSettings
from teaching.timetable import services as timetable
from tests.documents.builders import make_pdf
from tests.factories import (
    CampaignFactory,
    ConcertFactory,
    CriterionFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EvaluationFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    InvoiceRunFactory,
    PayerShareFactory,
    PayFiPAccountFactory,
    PaymentPlanChoiceFactory,
    PeriodFactory,
    PieceRuleFactory,
    RentalFactory,
    RentalTermsFactory,
    RepertoirePieceFactory,
    ScaleFactory,
    SchoolYearFactory,
    SituationFactory,
    SlotFactory,
    StudentFactory,
    TariffRateFactory,
    TermsFactory,
    UserFactory,
    make_paid_attempt,
    make_time,
    make_turn,
)
from tests.reenrolment.conftest import make_case
from tests.reenrolment.reminder_cases import make_reminder
from tests.teaching.announcement_cases import make_draft
from tests.teaching.register_cases import make_absence, make_notice

OUTSIDERS = ["nobody", "parent", "teacher"]  # no agents: the sign-in page
AGENTS = ["registrar", "accountant", "director", "superuser"]

# What the secretariat, the régie, the direction and the superuser may do, in the order of AGENTS:
# v reads, a adds, c changes, d deletes.
RIGHTS = {
    "accounts_establishment": ("v", "", "vc", "vacd"),
    "accounts_user": ("v", "", "vac", "vac"),
    "accounts_mail": ("v", "", "v", "v"),
    "accounts_listimport": ("", "", "v", "v"),
    "accounts_listexport": ("", "", "v", "v"),
    "families_commune": ("vac", "", "vac", "vacd"),
    "families_family": ("vac", "v", "vacd", "vacd"),
    "families_merge": ("v", "", "v", "v"),
    "families_erasurerequest": ("va", "", "va", "va"),
    "students_schoolyear": ("vac", "", "vac", "vacd"),
    "students_discipline": ("vac", "", "vac", "vacd"),
    "students_course": ("vac", "", "vacd", "vacd"),
    "students_slot": ("vac", "", "vacd", "vacd"),
    "students_student": ("vac", "", "vacd", "vacd"),
    "students_teacher": ("vac", "", "vac", "vacd"),
    "students_enrolment": ("vac", "", "vac", "vac"),
    "students_repertoirepiece": ("vac", "", "vacd", "vacd"),
    "students_waitingentry": ("v", "", "v", "v"),
    "teaching_closure": ("vacd", "", "vacd", "vacd"),
    "teaching_lesson": ("v", "", "v", "v"),
    "teaching_timetablesettings": ("vac", "", "vac", "vac"),
    "documents_documenttype": ("vac", "", "vac", "vacd"),
    "documents_piecerule": ("vacd", "", "vacd", "vacd"),
    "documents_document": ("v", "", "v", "v"),
    "teaching_lessontime": ("vac", "", "vac", "vac"),
    "teaching_portraitsource": ("v", "", "vad", "vad"),
    "billing_invoice": ("", "vacd", "vacd", "vacd"),
    "billing_invoicerun": ("", "va", "va", "va"),
    "billing_payment": ("", "v", "v", "v"),
    "billing_tariffcategory": ("", "vacd", "vacd", "vacd"),
    "billing_tariffgrid": ("", "vacd", "vacd", "vacd"),
    "billing_tariffrate": ("", "v", "v", "v"),
    "billing_instrumentkind": ("", "vac", "vac", "vacd"),
    "billing_instrument": ("v", "vac", "vacd", "vacd"),
    "billing_rental": ("v", "v", "v", "v"),
    "billing_rentalterms": ("", "vac", "vac", "vac"),
    "billing_situation": ("", "vacd", "vacd", "vacd"),
    "billing_payershare": ("", "vacd", "vacd", "vacd"),
    "billing_paymentattempt": ("", "v", "v", "v"),
    "billing_payfipaccount": ("", "v", "vac", "vacd"),
    "billing_regiesettings": ("", "vac", "vac", "vac"),
    "teaching_period": ("vac", "", "vac", "vacd"),
    "teaching_scale": ("vac", "", "vac", "vacd"),
    "teaching_criterion": ("vac", "", "vac", "vacd"),
    "teaching_evaluation": ("v", "", "v", "v"),
    "teaching_concert": ("vacd", "", "vacd", "vacd"),
    "teaching_concertturn": ("vcd", "", "vcd", "vcd"),  # added on the page of its concert
    "billing_paymentplan": ("", "vac", "vac", "vac"),
    "billing_paymentplanchoice": ("", "v", "v", "v"),
    "teaching_register": ("v", "", "v", "v"),
    "teaching_absence": ("v", "", "v", "v"),
    "teaching_absencenotice": ("v", "", "v", "v"),
    "teaching_announcement": ("vac", "", "vac", "vac"),
    "teaching_registersettings": ("v", "", "vac", "vac"),
    "reenrolment_campaign": ("vac", "", "vac", "vac"),
    "reenrolment_terms": ("vac", "", "vac", "vac"),
    "reenrolment_reenrolment": ("v", "", "v", "v"),
    "reenrolment_assistedsession": ("v", "", "v", "v"),
}

# Besides « delete », which goes with the d above.
ACTIONS = {
    "accounts_user": {
        "unlock": ["registrar", "director", "superuser"],
        "close_sessions": ["registrar", "director", "superuser"],
        "send_one_time_password": ["director", "superuser"],
        "remove_second_factor": ["director", "superuser"],
    },
    "families_family": {"compare": ["registrar", "director", "superuser"]},
    "students_enrolment": {
        "confirm": ["registrar", "director", "superuser"],
        "release": ["registrar", "director", "superuser"],
    },
    "teaching_lessontime": {"end_now": ["registrar", "director", "superuser"]},
    "documents_piecerule": {"renew": ["registrar", "director", "superuser"]},
    "documents_document": {"accept": ["registrar", "director", "superuser"]},
    "teaching_absence": {"accept": ["registrar", "director", "superuser"]},
    "billing_invoice": {"issue": ["accountant", "director", "superuser"]},
    "billing_paymentattempt": {
        "ask_payfip": ["accountant", "director", "superuser"],
        "dismiss": ["accountant", "director", "superuser"],
    },
    "billing_payfipaccount": {"ask_who_is_paid": ["accountant", "director", "superuser"]},
}
# A draft goes by its page: an issued invoice might be among those ticked.
# A share goes with that of the other household.
# Days without lessons of every site might be among those ticked.
WITHOUT_DELETE_ACTION = {
    *["billing_invoice", "billing_payershare", "billing_tariffgrid"],
    "teaching_closure",
    # A concert that was announced might be among those ticked.
    *["teaching_concert", "teaching_concertturn"],
}

# The other pages: what AGENTS are answered, to a GET and to an empty POST.
DOSSIERS = (200, 403, 200, 200)
LAUNCH = {"get": DOSSIERS, "post": (405, 405, 405, 405)}
DECISION = {"get": (405, 405, 405, 405), "post": (302, 403, 302, 302)}
TO_ANOTHER_PAGE = {"get": (302, 403, 302, 302), "post": (405, 405, 405, 405)}
FORM_SHOWN_AGAIN = {"get": (405, 405, 405, 405), "post": DOSSIERS}
OF_THE_DIRECTION = {"get": (405, 405, 405, 405), "post": (403, 403, 200, 200)}
OF_THE_REGIE = {"get": (403, 200, 200, 200), "post": (403, 200, 200, 200)}
READ_BY_THE_REGIE = {**OF_THE_REGIE, "post": (405, 405, 405, 405)}
MOVED_BY_THE_REGIE = {"get": (405, 405, 405, 405), "post": (403, 302, 302, 302)}
EVERYBODY = {"get": (200, 200, 200, 200)}
PAGES = {
    "index": EVERYBODY,
    "jsi18n": EVERYBODY,
    "login": {"get": (302, 302, 302, 302)},
    "logout": {"get": (405, 405, 405, 405)},
    "password_change": {"get": (302, 302, 302, 302)},
    "password_change_done": EVERYBODY,
    "autocomplete": {"get": (403, 403, 403, 403)},  # what is searched must be said
    "view_on_site": {"get": (404, 404, 404, 404)},  # no model has such a page
    "app_list": {"get": DOSSIERS[:1] + (404,) + DOSSIERS[2:]},  # that of « reenrolment »
    "lists": EVERYBODY,
    "list_import": {"get": DOSSIERS, "post": DOSSIERS},
    "list_template": {"get": DOSSIERS, "post": (405, 405, 405, 405)},
    "list_export": {"get": DOSSIERS, "post": DOSSIERS},
    "list_check": {"get": (404, 403, 404, 404), "post": (404, 403, 404, 404)},  # one's own file
    "families_family_household_accounts": LAUNCH,
    "families_family_invite": DECISION,
    "families_family_close_account": DECISION,
    "families_family_reopen_account": DECISION,
    "families_family_doubles": LAUNCH,
    "families_family_merge_families": {"get": DOSSIERS, "post": DOSSIERS},
    "families_family_merge_guardians": {"get": DOSSIERS, "post": DOSSIERS},
    "families_erasurerequest_erase": OF_THE_DIRECTION,
    "families_erasurerequest_answer": OF_THE_DIRECTION,
    "students_slot_add_place": {"get": DOSSIERS, "post": DOSSIERS},
    "teaching_register_missing": LAUNCH,
    "teaching_absence_repeated": LAUNCH,
    "teaching_announcement_preview": {"get": DOSSIERS, "post": DOSSIERS},  # no act is said
    "teaching_announcement_report": LAUNCH,
    "teaching_announcement_report_export": LAUNCH,
    "teaching_announcement_file": LAUNCH,
    "teaching_absence_answer": {"get": DOSSIERS, "post": DOSSIERS},  # nothing chosen
    "students_waitingentry_line": LAUNCH,
    "students_waitingentry_log": LAUNCH,
    "students_waitingentry_offer": {"get": DOSSIERS, "post": DOSSIERS},  # no reason given
    "students_waitingentry_remove": {"get": DOSSIERS, "post": DOSSIERS},
    "students_slot_close": {"get": DOSSIERS, "post": (302, 403, 302, 302)},
    "students_slot_reopen": DECISION,
    "students_slot_resize": DECISION,
    "students_schoolyear_roll_over": {"get": DOSSIERS, "post": (302, 403, 302, 302)},
    "teaching_lesson_plan": {"get": DOSSIERS, "post": DOSSIERS},  # no act is said
    "teaching_lesson_absence": {"get": DOSSIERS, "post": DOSSIERS},
    "teaching_closure_tell": {"get": DOSSIERS, "post": (302, 403, 302, 302)},  # nobody yet
    "teaching_lesson_rooms": LAUNCH,
    "teaching_lesson_conflicts": LAUNCH,
    "teaching_lesson_year_rooms": LAUNCH,
    "teaching_lesson_loads": LAUNCH,
    "documents_document_file": {"get": DOSSIERS, "post": (405, 405, 405, 405)},
    "documents_document_page": {"get": (404, 403, 404, 404), "post": (405, 405, 405, 405)},
    "documents_document_accept": DECISION,
    "billing_invoice_record_payment": OF_THE_REGIE,
    "billing_invoice_refund": OF_THE_REGIE,
    "billing_invoice_carry_over": OF_THE_REGIE,
    "billing_payment_bounce": OF_THE_REGIE,
    "billing_invoice_to_settle": READ_BY_THE_REGIE,
    "billing_payment_counter": READ_BY_THE_REGIE,
    "billing_payment_deposit": OF_THE_REGIE,
    "billing_payment_receipt": READ_BY_THE_REGIE,
    "billing_payment_journal": READ_BY_THE_REGIE,
    "billing_payment_journal_export": READ_BY_THE_REGIE,
    "billing_payment_reconciliation": READ_BY_THE_REGIE,
    "billing_payment_reconciliation_export": READ_BY_THE_REGIE,
    "billing_payment_close_day": {  # no day is said
        "get": (403, 302, 302, 302),
        "post": (403, 302, 302, 302),
    },
    "billing_tariffcategory_courses": OF_THE_REGIE,
    "billing_tariffgrid_rates": OF_THE_REGIE,
    "billing_tariffgrid_duplicate": OF_THE_REGIE,
    "billing_tariffgrid_compare": READ_BY_THE_REGIE,
    "billing_tariffgrid_export_grid": READ_BY_THE_REGIE,
    "billing_tariffgrid_import_grid": OF_THE_REGIE,  # no file
    "billing_tariffgrid_check_grid": {"get": (403, 404, 404, 404), "post": (403, 404, 404, 404)},
    "billing_invoice_credit": OF_THE_REGIE,
    "billing_invoice_cancel": OF_THE_REGIE,
    "billing_invoice_pdf": READ_BY_THE_REGIE,
    "billing_invoicerun_issue_all": {"get": (403, 302, 302, 302)},  # no draft
    "billing_invoicerun_redate": OF_THE_REGIE,
    "billing_invoicerun_stop": MOVED_BY_THE_REGIE,
    "billing_invoicerun_abandon": MOVED_BY_THE_REGIE,
    "billing_invoicerun_remove": {
        "get": (405, 405, 405, 405),
        "post": (403, 404, 404, 404),  # no draft of this run
    },
    "billing_invoicerun_export": {
        "get": (405, 405, 405, 405),
        "post": (403, 404, 404, 404),  # in which format?
    },
    "billing_tariffgrid_compare_export": {  # nothing chosen
        "get": (405, 405, 405, 405),
        "post": (403, 404, 404, 404),
    },
    "billing_tariffgrid_publish": {"get": (403, 403, 200, 200), "post": (403, 403, 302, 302)},
    "billing_tariffgrid_shorten": {"get": (403, 403, 200, 200), "post": (403, 403, 200, 200)},
    "billing_instrument_rent": OF_THE_REGIE,  # nobody is searched
    "billing_instrument_step": OF_THE_REGIE,
    "billing_rental_step": OF_THE_REGIE,
    "billing_rental_contract": {"get": (200, 200, 200, 200), "post": (405, 405, 405, 405)},
    "billing_invoice_reminders": OF_THE_REGIE,
    "billing_invoice_reminder_message": {  # nobody is ticked
        "get": (403, 302, 302, 302),
        "post": (403, 302, 302, 302),
    },
    "billing_invoice_reminder_progress": READ_BY_THE_REGIE,
    "teaching_concert_publish": {"get": DOSSIERS, "post": DOSSIERS},  # nobody plays
    "teaching_concert_cancel": {"get": DOSSIERS, "post": DOSSIERS},  # no reason given
    "teaching_concert_record": {"get": DOSSIERS, "post": DOSSIERS},  # it is to come
    "teaching_concert_pdf": {"get": DOSSIERS, "post": (405, 403, 405, 405)},
    "teaching_evaluation_reopen": {"get": DOSSIERS, "post": DOSSIERS},  # no reason given
    "billing_invoice_reminder_cancel": MOVED_BY_THE_REGIE,
    "reenrolment_campaign_needs": LAUNCH,
    "reenrolment_campaign_needs_export": LAUNCH,
    "reenrolment_campaign_desk": LAUNCH,
    "reenrolment_campaign_extend": {"get": DOSSIERS, "post": DOSSIERS},
    "reenrolment_campaign_allotments": {"get": DOSSIERS, "post": DOSSIERS},  # nobody asks
    "reenrolment_campaign_allotment": LAUNCH,
    "reenrolment_campaign_allotment_line": {"get": DOSSIERS, "post": DOSSIERS},
    "reenrolment_campaign_allotment_publish": {
        "get": (405, 405, 405, 405),
        "post": (403, 403, 200, 200),  # the box is not ticked
    },
    "reenrolment_campaign_launch": {"get": DOSSIERS, "post": DOSSIERS},
    "reenrolment_campaign_launch_rehearsal": LAUNCH,
    "reenrolment_campaign_launch_progress": LAUNCH,
    "reenrolment_campaign_launch_letters": LAUNCH,
    "reenrolment_campaign_launch_letters_pdf": {  # every household has an address
        "get": (404, 403, 404, 404),
        "post": (405, 405, 405, 405),
    },
    "reenrolment_campaign_launch_resend": DECISION,
    "reenrolment_campaign_launch_retry": DECISION,
    "reenrolment_campaign_reminders": {"get": DOSSIERS, "post": DOSSIERS},
    "reenrolment_campaign_reminder_message": {  # nobody is ticked
        "get": (302, 403, 302, 302),
        "post": (302, 403, 302, 302),
    },
    "reenrolment_campaign_reminder_progress": LAUNCH,
    "reenrolment_campaign_reminder_cancel": DECISION,
    "reenrolment_reenrolment_accept_piece": DECISION,
    "reenrolment_reenrolment_refuse_piece": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_examine_pieces": TO_ANOTHER_PAGE,
    "reenrolment_reenrolment_view_pieces": TO_ANOTHER_PAGE,
    "reenrolment_reenrolment_view_piece": LAUNCH,
    "reenrolment_reenrolment_accept_viewed": DECISION,
    "reenrolment_reenrolment_refuse_viewed": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_note_viewed": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_place": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_request_complement": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_validate": DECISION,
    "reenrolment_reenrolment_refuse": FORM_SHOWN_AGAIN,
    "reenrolment_reenrolment_withdraw": FORM_SHOWN_AGAIN,
}
OPEN = {"login", "jsi18n"}  # the first leads to the sign-in page, the second holds French words


def names():
    for pattern in admin.site.urls[0]:
        inner = getattr(pattern, "url_patterns", [pattern])
        yield from (each.name for each in inner if each.name)


def test_every_page_is_in_the_lists():
    usual = {
        f"{model}_{page}"
        for model in RIGHTS
        for page in ("changelist", "add", "change", "history", "delete")
    }

    assert sorted(names()) == sorted({*usual, *PAGES})


@pytest.fixture
def rows(parent, student, family, teacher, establishment, superuser, registrar):
    """One row of each kind, and what the addresses of the other pages name."""
    rule = PieceRuleFactory()
    document = DocumentFactory(type=rule.document_type, family=family)
    case = make_case(student)
    case.fill_in()
    case.submit(parent)
    GuardianFactory(family=family, user=None, email="paul@example.org")
    launches.launch(case.campaign, actor=superuser, expected=2)
    while launches.prepare_next():
        pass
    issued = billing.issue(InvoiceLineFactory(invoice__family=family).invoice, actor=superuser)
    payment = billing.record_payment(
        issued,
        amount=Decimal(1),
        means="cheque",
        paid_on=issued.issued_on,
        reference="C1",
        actor=superuser,
    )
    rental = RentalFactory(family=family, student=student)
    assisted = assisting.start(student, family, actor=registrar)
    double = FamilyFactory()
    rate = TariffRateFactory(grid__deliberation_number="")
    merge = Merge.objects.create(
        kind=MergeKind.FAMILY,
        family=family,
        kept_key=10_001,
        absorbed_key=10_002,
        details={},
        actor=registrar,
    )
    logged = {"actor": registrar, "list": "familles"}
    erasure = erasures.ask(family, text="Tout.", actor=parent)
    awaited = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    for waits in (StudentFactory(), student):
        waiting.set_wishes(waits, awaited.course, [awaited], actor=None)
    wish = student.waiting_entries.get()  # the second of the line
    claire, paul = family.guardians.order_by("pk")
    campaign, dossier = [case.campaign.pk], case.reenrolment.pk
    line = make_line(case)
    ranked = line.allotment.campaign
    reminder = make_reminder(case.campaign, superuser)
    payment_reminder = PaymentReminder.objects.create(establishment=establishment, actor=superuser)
    _, absence = make_absence(student, teacher)
    return {
        "accounts_establishment": establishment,
        "accounts_user": parent,
        "accounts_mail": case.campaign.launch.launch_mails.exclude(mail=None).first().mail,
        "accounts_listimport": ListImport.objects.create(**logged, received_at=timezone.now()),
        "accounts_listexport": ListExport.objects.create(**logged, rows=1, at=timezone.now()),
        "families_commune": Commune.objects.get(),
        "families_family": family,
        "families_merge": merge,
        "families_erasurerequest": erasure,
        "students_schoolyear": SchoolYear.objects.first(),
        "students_discipline": Discipline.objects.first(),
        "students_course": case.slot.course,
        "students_slot": case.slot,
        "students_student": student,
        "students_teacher": teacher,
        "students_enrolment": case.theory,
        "students_repertoirepiece": RepertoirePieceFactory(student=student),
        "teaching_closure": (
            closure := Closure.objects.create(
                kind=ClosureKind.CLOSED,
                name="Pont",
                establishment=establishment,
                first_on=timezone.localdate(),
                last_on=timezone.localdate(),
            )
        ),
        "teaching_closure_tell": [closure.pk],
        "teaching_lesson": (lesson := make_changed_lesson(registrar)),
        "teaching_lesson_plan": [lesson.key],
        "teaching_timetablesettings": TimetableSettings.objects.create(establishment=establishment),
        "documents_documenttype": rule.document_type,
        "documents_piecerule": rule,
        "documents_document": document,
        "teaching_lessontime": make_time(case.theory.course),
        "teaching_portraitsource": PortraitSource.objects.create(
            type=DocumentTypeFactory(photo=True)
        ),
        "billing_invoice": InvoiceLineFactory(invoice__family=family).invoice,
        "billing_invoicerun": (run := InvoiceRunFactory()),
        "billing_payment": payment,
        "billing_tariffcategory": rate.category,
        "billing_tariffgrid": rate.grid,
        "billing_tariffrate": rate,
        "billing_instrumentkind": rental.instrument.kind,
        "billing_instrument": rental.instrument,
        "billing_rental": rental,
        "billing_rentalterms": RentalTermsFactory(version="2"),
        "billing_situation": SituationFactory(family=family),
        "billing_payershare": PayerShareFactory(custody__student=student, custody__rank=2),
        "billing_paymentattempt": make_paid_attempt(issued),
        "billing_payfipaccount": PayFiPAccountFactory(),
        "billing_regiesettings": RegieSettings.objects.create(establishment=establishment),
        "teaching_period": PeriodFactory(),
        "teaching_scale": ScaleFactory(),
        "teaching_criterion": CriterionFactory(),
        "teaching_evaluation": (evaluation := EvaluationFactory(published=True)),
        "teaching_evaluation_reopen": [evaluation.pk],
        "teaching_concert": (concert := ConcertFactory()),
        "teaching_concertturn": make_turn(concert),
        **{
            f"teaching_concert_{name}": [concert.pk]
            for name in ("publish", "cancel", "record", "pdf")
        },
        "billing_paymentplan": (choice := PaymentPlanChoiceFactory(family=family)).plan,
        "billing_paymentplanchoice": choice,
        "reenrolment_campaign": case.campaign,
        "reenrolment_terms": TermsFactory(version="2"),
        "reenrolment_reenrolment": case.reenrolment,
        "reenrolment_assistedsession": AssistedSession.objects.get(pk=assisted.pk),
        "app_list": ["reenrolment"],
        "view_on_site": [1, 1],
        "list_import": ["familles"],
        "list_template": ["familles", "csv"],
        "list_export": ["familles"],
        "list_check": ["familles", uuid.uuid4()],
        "families_family_household_accounts": [family.pk],
        "families_family_invite": [family.pk, claire.pk],
        "families_family_close_account": [family.pk, claire.pk],
        "families_family_reopen_account": [family.pk, claire.pk],
        "families_family_merge_families": [family.pk, double.pk],
        "families_family_merge_guardians": [claire.pk, paul.pk],
        "families_erasurerequest_erase": [erasure.pk],
        "families_erasurerequest_answer": [erasure.pk],
        "students_slot_add_place": [case.slot.pk],
        "students_waitingentry": wish,
        "teaching_register": absence.register,
        "teaching_absence": absence,
        "teaching_announcement": (announcement := make_draft(registrar)),
        "teaching_announcement_file": [
            announcement.pk,
            join(announcement, "programme.pdf", make_pdf()).pk,
        ],
        **{
            f"teaching_announcement_{name}": [announcement.pk]
            for name in ("preview", "report", "report_export")
        },
        "teaching_absencenotice": make_notice(student, family, actor=parent),
        "teaching_registersettings": RegisterSettings.objects.create(establishment=establishment),
        "teaching_absence_answer": [absence.pk],
        "students_waitingentry_line": [awaited.pk],
        "students_waitingentry_log": [awaited.pk, wish.pk],
        "students_waitingentry_offer": [awaited.pk, wish.pk],
        "students_waitingentry_remove": [awaited.pk, wish.pk],
        "students_slot_close": [case.slot.pk],
        "students_slot_reopen": [case.slot.pk],
        "students_slot_resize": [case.slot.pk],
        "students_schoolyear_roll_over": [SchoolYear.objects.last().pk],
        "documents_document_file": [document.pk],
        "documents_document_page": [document.pk, 1],  # not drawn
        "documents_document_accept": [document.pk],
        "billing_invoice_record_payment": [issued.pk],
        **{f"billing_invoice_{name}": [issued.pk] for name in ("credit", "cancel", "pdf")},
        **{
            f"billing_invoicerun_{name}": [run.pk]
            for name in ("issue_all", "redate", "stop", "abandon", "export")
        },
        "billing_invoicerun_remove": [run.pk, issued.pk],
        "billing_tariffcategory_courses": [SchoolYear.objects.first().pk],
        "billing_tariffgrid_rates": [rate.grid_id, rate.category_id],
        **{
            f"billing_tariffgrid_{name}": [rate.grid_id]
            for name in (
                *["publish", "duplicate", "shorten", "compare", "compare_export"],
                "import_grid",
            )
        },
        "billing_tariffgrid_export_grid": [rate.grid_id, "xlsx"],
        "billing_tariffgrid_check_grid": [rate.grid_id, uuid.uuid4()],  # one's own file
        "billing_instrument_rent": [rental.instrument_id],
        "billing_instrument_step": [rental.instrument_id, "reparation"],
        "billing_rental_step": [rental.pk, "remettre"],
        "billing_rental_contract": [rental.pk],
        "billing_invoice_refund": [issued.pk],
        "billing_invoice_carry_over": [issued.pk],
        "billing_payment_bounce": [payment.pk],
        "billing_payment_deposit": [family.pk],
        "billing_payment_receipt": [payment.deposit_id],
        "billing_invoice_reminder_progress": [payment_reminder.pk],
        "billing_invoice_reminder_cancel": [payment_reminder.pk],
        "reenrolment_campaign_desk": campaign,
        "reenrolment_campaign_extend": campaign,
        "reenrolment_campaign_allotments": [ranked.pk],
        "reenrolment_campaign_allotment": [ranked.pk, line.allotment_id],
        "reenrolment_campaign_allotment_line": [ranked.pk, line.allotment_id, line.pk],
        "reenrolment_campaign_allotment_publish": [ranked.pk, line.allotment_id],
        "reenrolment_campaign_launch": campaign,
        "reenrolment_campaign_launch_rehearsal": campaign,
        "reenrolment_campaign_launch_progress": campaign,
        "reenrolment_campaign_launch_letters": campaign,
        "reenrolment_campaign_launch_letters_pdf": campaign,
        "reenrolment_campaign_launch_resend": [*campaign, family.pk],
        "reenrolment_campaign_launch_retry": campaign,
        "reenrolment_campaign_reminders": campaign,
        "reenrolment_campaign_reminder_message": campaign,
        "reenrolment_campaign_reminder_progress": [*campaign, reminder.pk],
        "reenrolment_campaign_reminder_cancel": [*campaign, reminder.pk],
        "reenrolment_reenrolment_accept_piece": [dossier, document.pk],
        "reenrolment_reenrolment_refuse_piece": [dossier, document.pk],
        "reenrolment_reenrolment_view_pieces": [dossier],
        **{
            f"reenrolment_reenrolment_{name}": [dossier, document.pk]
            for name in ("view_piece", "accept_viewed", "refuse_viewed", "note_viewed")
        },
        "reenrolment_reenrolment_place": [dossier, case.choice(case.choir).pk],
        "reenrolment_reenrolment_request_complement": [dossier],
        "reenrolment_reenrolment_validate": [dossier],
        "reenrolment_reenrolment_refuse": [dossier],
        "reenrolment_reenrolment_withdraw": [dossier],
    }


def make_changed_lesson(actor) -> Lesson:
    """The first of a slot's year, cancelled."""
    slot = SlotFactory()
    first, _ = slot.course.school_year.lesson_days
    day = first + dt.timedelta(days=(slot.weekday - first.isoweekday()) % 7)
    [change] = timetable.cancel([find(slot, day)], actor=actor)
    return change.lesson


def make_line(case) -> Allocation:
    """Of another campaign, whose slots are ranked."""
    ranked = CampaignFactory(school_year=SchoolYearFactory(offset=2), mode=CampaignMode.ALLOTMENT)
    made = {"seed": "graine", "made_at": timezone.now(), "made_by": UserFactory()}
    return Allocation.objects.create(
        allotment=Allotment.objects.create(campaign=ranked, **made),
        choice=case.choice(case.theory),
        course=case.slot.course,
        draw=1,
    )


@pytest.fixture
def enter(client, request):
    """`enter("registrar")` gives the client of that person."""

    def enter(who):
        if who != "nobody":
            person = request.getfixturevalue(who)
            client.force_login(getattr(person, "user", person))
        return client

    return enter


def usual_answers(client, rows, model):
    """What each page of a model answers; « save » is an empty form sent to the change page."""
    one = [rows[model].pk]
    return {
        page: client.get(
            reverse(f"admin:{model}_{page}", args=None if page in ("changelist", "add") else one)
        ).status_code
        for page in ("changelist", "add", "change", "history", "delete")
    } | {"save": client.post(reverse(f"admin:{model}_change", args=one), {}).status_code}


def due(rights, *, save=403):
    view, add, change, delete = (200 if each in rights else 403 for each in "vacd")
    return {
        "changelist": view,
        "add": add,
        "change": view,
        "history": view,
        "delete": delete,
        "save": change if change == 200 else save,
    }


@pytest.mark.parametrize("who", AGENTS)
def test_an_agent_does_with_a_row_what_the_list_says(enter, rows, who):
    client = enter(who)
    position = AGENTS.index(who)

    answers = {model: usual_answers(client, rows, model) for model in RIGHTS}

    expected = {model: due(rights[position]) for model, rights in RIGHTS.items()}
    # Read only, and they say so to whoever may read them.
    expected["reenrolment_reenrolment"]["save"] = 405
    expected["families_erasurerequest"]["save"] = 405
    expected["billing_invoicerun"]["save"] = 405
    assert answers == expected


@pytest.mark.parametrize("who", AGENTS)
def test_an_agent_is_offered_the_actions_of_the_list(enter, rows, who):
    client = enter(who)
    position = AGENTS.index(who)
    expected, offered = {}, {}
    for model, rights in RIGHTS.items():
        if "v" not in rights[position]:
            continue
        expected[model] = {name for name, agents in ACTIONS.get(model, {}).items() if who in agents}
        if "d" in rights[position] and model not in WITHOUT_DELETE_ACTION:
            expected[model].add("delete_selected")
        form = client.get(reverse(f"admin:{model}_changelist")).context["action_form"]
        choices = form.fields["action"].choices if form else []
        offered[model] = {name for name, _ in choices if name}

    assert offered == expected


@pytest.mark.parametrize("who", AGENTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_agent_is_answered_as_the_list_says_elsewhere(enter, rows, who, method):
    client = enter(who)
    position = AGENTS.index(who)
    pages = {name: answers[method] for name, answers in PAGES.items() if method in answers}

    statuses = {
        name: getattr(client, method)(reverse(f"admin:{name}", args=rows.get(name, []))).status_code
        for name in pages
        if name != "logout"
    }

    assert statuses == {
        name: answers[position] for name, answers in pages.items() if name != "logout"
    }


@pytest.mark.parametrize("who", OUTSIDERS)
def test_who_is_no_agent_is_sent_to_the_sign_in_page(enter, rows, who):
    client = enter(who)
    addresses = {
        f"{model}_{page}": reverse(
            f"admin:{model}_{page}",
            args=None if page in ("changelist", "add") else [rows[model].pk],
        )
        for model in RIGHTS
        for page in ("changelist", "add", "change", "history", "delete")
    } | {name: reverse(f"admin:{name}", args=rows.get(name, [])) for name in PAGES}
    sent_on = {}
    for name, address in addresses.items():
        if name in OPEN or name == "logout":
            continue
        answers = [client.get(address), client.post(address, {})]
        sent_on[name] = {(each.status_code, each.url.split("?")[0]) for each in answers}

    # The second leads to the first; a form goes there straight.
    doors = {(302, reverse(name)) for name in ("accounts:sign_in", "admin:login")}
    assert {name: each for name, each in sent_on.items() if not each <= doors} == {}


def test_nobody_signs_out_by_a_link(client, registrar):
    client.force_login(registrar)

    assert client.get(reverse("admin:logout")).status_code == 405


@pytest.mark.parametrize("action", ["send_one_time_password", "remove_second_factor"])
def test_an_action_that_is_not_offered_does_nothing(client, registrar, parent, action):
    client.force_login(registrar)
    student = StudentFactory()

    response = client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": action, "_selected_action": [parent.pk, student.pk]},
        follow=True,
    )

    assert [str(message) for message in response.context["messages"]] == [
        "Aucune action sélectionnée."
    ]


def test_lists_and_forms_are_named_in_plain_french(client, director):
    client.force_login(director)

    def titles(page, *keys):
        answer = client.get(reverse(f"admin:students_student_{page}", args=keys)).text
        return answer.split("<title>")[1].split("</title>")[0], answer.split("<h1>")[1].split("<")[
            0
        ]

    site = "Administration du conservatoire"
    student = StudentFactory(first_name="Louise", last_name="Martin")
    assert titles("changelist") == (f"Élèves | {site}", "Élèves")
    assert titles("change", student.pk) == (f"Louise Martin | Élève | {site}", "Élève")
    assert titles("add") == (f"Ajout d&#x27;élève | {site}", "Ajout d&#x27;élève")
