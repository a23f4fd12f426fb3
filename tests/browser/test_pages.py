"""Every page at the narrowest and at a wide screen: axe, sideways scrolling, the strict CSP."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from accounts import connections, email_changes, email_links, mails
from accounts.enums import MailKind, Means
from accounts.models import Mail
from billing import services as billing
from billing.models import Payment
from documents import services as documents
from documents.enums import FileGone, RefusalReason, Verdict
from documents.models import Document, DocumentType
from families import absorbing, erasures
from families.invitations import invite
from families.models import Guardian, Merge
from reenrolment.enums import EarlyGroup
from reenrolment.models import EarlyAccess, WaitingCriterion
from reenrolment.pieces import load_pieces
from reenrolment.services import allotments, decisions, launches, waiting
from students import closing
from students.enums import Criterion, Scheduling, Weekday
from tests.accounts.codes import code_of
from tests.billing.gallery import Gallery
from tests.browser.conftest import CAF, HOME
from tests.documents.builders import make_pdf
from tests.factories import (
    PASSWORD,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    PieceRuleFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    make_portrait,
    make_time,
)
from tests.reenrolment.conftest import make_case
from tests.reenrolment.ranking import make_ranking, settle
from tests.reenrolment.waiting_cases import make_full, offer, wait_for

pytestmark = pytest.mark.usefixtures("town")
WIDTHS = pytest.mark.parametrize("width", [320, 1280])

PUBLIC = [
    "imuse:landing",
    "imuse:accessibility",
    "billing:simulator",  # without a tariff; tests/browser/test_estimate.py has one
    "accounts:sign_in",
    "accounts:lost_password",
    "accounts:lost_password_done",
    "accounts:email_confirmed",
    "accounts:confirm_email",  # without its link: it no longer works
]


def faults(visitor, addresses):
    """By address: what axe finds, and « overflows » where the page scrolls sideways."""
    found = {}
    for address in addresses:
        visitor.page.goto(address)
        if problems := visitor.axe() + ["overflows"] * visitor.overflows():
            found[address] = problems
    return found


@WIDTHS
def test_the_public_pages(visit, width):
    assert faults(visit(width=width), [reverse(name) for name in PUBLIC]) == {}


@pytest.fixture
def life(student, parent, family, director):
    """A bit of everything that a household may hold, with a long name and a refused piece."""
    former = SchoolYearFactory(offset=-1)
    course = CourseFactory(name="Éveil musical et corporel des tout-petits", school_year=former)
    EnrolmentFactory(student=student, course=course)
    RepertoirePieceFactory(student=student)
    parent.signed_in_by = Means.PASSWORD
    connections.begin(parent, device="Samsung Internet sur Android", address="2001:db8:1234::/64")
    DocumentFactory(
        family=family,
        name="attestation-de-paiement-de-la-caisse-d-allocations-familiales-2027.pdf",
        verdict=Verdict.REFUSED,
        refusal="Le document est trop ancien.",
    )
    invoices = [
        InvoiceLineFactory(invoice__family=family, invoice__kind=kind).invoice
        for kind in ("cotisation", "location")
    ]
    return [billing.issue(invoice, actor=director) for invoice in invoices]


@WIDTHS
def test_the_familys_pages(visit, parent, student, life, width):
    one = [student.pk]
    email_changes.ask("une.adresse.plutot.longue.pour.un.telephone@example.net", actor=parent)
    token, _ = email_links.make(parent, parent.email_change.email)
    visitor = visit(width=width).sign_in_as(parent)

    assert (
        faults(
            visitor,
            [
                reverse("imuse:home"),
                reverse("families:identity"),
                reverse("families:my_data"),
                reverse("families:ask_erasure"),
                reverse("accounts:change_email"),
                reverse("accounts:confirm_email") + f"?jeton={token}",
                *[
                    reverse(f"students:{tab}", args=one)
                    for tab in ("identity", "courses", "history", "repertoire")
                ],
                reverse("reenrolment:edit", args=one),
                reverse("reenrolment:edit", args=one) + "?verifier=1",
                reverse("documents:supplied", args=one),
                reverse("billing:cotisations"),
                reverse("billing:locations"),
                reverse("billing:invoice", args=[life[0].pk]),
                reverse("accounts:change_password"),
                reverse("accounts:connections"),
                "/extranet/nulle-part/",
            ],
        )
        == {}
    )


@WIDTHS
def test_the_invoices_in_every_state(visit, parent, family, student, accountant, width):
    """Long names, sixty lines, nil, overdue, cancelled, undone; receipts and an attestation."""
    student.last_name = "de La Rochefoucauld-Montmorency-Luxembourg-et-de-Bourbon-Condé"
    student.save(update_fields=["last_name"])
    gallery = Gallery(family, student, accountant).fill()
    year = timezone.localdate().year
    visitor = visit(width=width).sign_in_as(parent)
    invoices = [*gallery.invoices.values(), gallery.invoices["cancelled"].credit_notes.get()]
    kinds = {(payment.nature, payment.means): payment for payment in Payment.objects.all()}

    assert (
        faults(
            visitor,
            [
                reverse("imuse:home"),
                reverse("billing:cotisations"),
                reverse("billing:payments"),
                *[reverse("billing:invoice", args=[each.pk]) for each in invoices],
                *[reverse("billing:receipt", args=[each.pk]) for each in kinds.values()],
                reverse("billing:attestation", args=["annee-civile", year]),
            ],
        )
        == {}
    )


def test_an_attestation_by_keyboard_and_without_javascript(
    visit, parent, family, student, accountant
):
    Gallery(family, student, accountant).fill()
    visitor = visit(width=360, javascript=False).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("billing:cotisations"))
    page.locator("summary").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details").last).to_have_attribute("open", "")

    for name in ("Reçus et attestations", "Année scolaire"):
        page.get_by_role("link", name=name).first.focus()
        page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Attestation de paiement")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger en PDF").focus()
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("attestation-annee-scolaire-")


@WIDTHS
def test_the_pages_of_a_submitted_dossier(visit, parent, student, family, width):
    case = make_case(student)
    rule = PieceRuleFactory(
        establishment=case.campaign.establishment, school_year=case.campaign.school_year
    )
    # A name that no hyphen lets break.
    name = "attestation_de_paiement_de_la_caisse_d_allocations_familiales.pdf"
    DocumentFactory(family=family, type=rule.document_type, name=name)
    case.fill_in()
    visitor = visit(width=width).sign_in_as(parent)
    recap = [reverse("reenrolment:check", args=[student.pk])]
    assert faults(visitor, recap) == {}
    assert visitor.page.get_by_text(name).is_visible()

    case.submit(parent)

    assert (
        faults(
            visitor,
            [
                reverse(f"reenrolment:{name}", args=[student.pk])
                for name in ("confirmation", "edit", "withdraw")
            ],
        )
        == {}
    )


@WIDTHS
def test_a_complement_asked_for(visit, parent, student, registrar, width):
    """A piece refused and asked for again, one accepted, on the pages that say it."""
    case = make_case(student)
    household = parent.guardian.family
    refused, accepted = [
        documents.hand_in(name, make_pdf(), type=kind, family=household, actor=parent)
        for name, kind in [
            ("attestation_de_paiement_de_la_caisse_d_allocations_familiales.pdf", CAF),
            ("loyer.pdf", HOME),
        ]
        for kind in [DocumentType.objects.get(name=kind)]
    ]
    case.fill_in()
    dossier = case.submit(parent)
    documents.accept(accepted, actor=registrar)
    documents.refuse(refused, reason=RefusalReason.TOO_OLD, actor=registrar)
    asked = [piece for piece in load_pieces(dossier) if piece.is_refused]
    until = timezone.now() + dt.timedelta(days=7)
    decisions.request_complement(dossier, pieces=asked, until=until, actor=registrar)
    visitor = visit(width=width).sign_in_as(parent)
    edit = reverse("reenrolment:edit", args=[student.pk])
    pages = [reverse("imuse:home"), reverse("documents:supplied", args=[student.pk]), edit]

    assert faults(visitor, pages) == {}
    assert visitor.page.get_by_text("Refusée : Le document est trop ancien.").is_visible()


@WIDTHS
def test_a_file_that_cannot_be_lent(visit, parent, superuser, family, width):
    """One that the household took back, and one that the storage lost."""
    name = "attestation_de_paiement_de_la_caisse_d_allocations_familiales.pdf"
    gone = {"file": "", "file_gone_at": timezone.now(), "file_gone_reason": FileGone.REMOVED}
    back = DocumentFactory(family=family, name=name, removed_at=timezone.now(), **gone)
    lost = DocumentFactory(family=family, name=name)
    lost.file.storage.delete(lost.file.name)

    for user, page in [
        (parent, "documents:download"),
        (superuser, "admin:documents_document_file"),
    ]:
        visitor = visit(width=width).sign_in_as(user)
        addresses = [reverse(page, args=[document.pk]) for document in (back, lost)]
        assert faults(visitor, addresses) == {}
        assert visitor.page.get_by_text("espace de stockage").is_visible()
        assert any("503" in fault for fault in visitor.faults)
        visitor.faults = [fault for fault in visitor.faults if "503" not in fault]


@WIDTHS
def test_the_pages_of_the_waiting_list(visit, parent, student, width):
    """Before and after the wishes, a place offered, then answered."""
    case = make_case(student)
    campaign, course = case.campaign, case.slot.course
    for position, criterion in enumerate(Criterion, start=1):
        WaitingCriterion.objects.create(campaign=campaign, position=position, criterion=criterion)
    thursday = make_full(case)
    SlotFactory(course=course, weekday=Weekday.SATURDAY, group="C")
    wishes = reverse("reenrolment:waiting", args=[student.pk, course.pk])
    visitor = visit(width=width).sign_in_as(parent)
    assert faults(visitor, [wishes, reverse("reenrolment:edit", args=[student.pk])]) == {}
    visitor.page.goto(wishes)
    for rank in (1, 2):
        visitor.page.get_by_label(f"Vœu {rank}").select_option(str(thursday.pk))
    visitor.page.get_by_role("button", name="Enregistrer mes vœux").click()
    expect(visitor.page).to_have_title(re.compile(r"^\s*Erreur"))
    assert visitor.axe() + ["overflows"] * visitor.overflows() == []

    wait_for(case, thursday, case.slot)
    entry = offer(case, thursday)
    pages = [
        reverse("imuse:home"),
        wishes,
        reverse("reenrolment:edit", args=[student.pk]),
        reverse("reenrolment:offer", args=[student.pk, entry.pk]),
    ]
    assert faults(visitor, pages) == {}
    waiting.accept(entry, actor=parent)
    assert faults(visitor, pages) == {}


@WIDTHS
def test_the_pages_of_an_allotment(visit, parent, director, student, width):
    """Ranking, the closing, the run, one line, the result."""
    ranking = make_ranking()
    ranking.campaign.waiting_criteria.create(position=1, criterion=Criterion.SIBLING)
    draft = ranking.draft(student=student)
    wishes = reverse("reenrolment:waiting", args=[student.pk, ranking.course.pk])
    draw = reverse("reenrolment:draw", args=[student.pk])
    edit = reverse("reenrolment:edit", args=[student.pk])
    family = visit(width=width).sign_in_as(parent)
    assert faults(family, [edit, wishes, draw]) == {}

    ranking.wish(draft, ranking.slots[0], None, actor=parent)
    draft.submit(parent)
    ranking.deposit(ranking.slots[0], actor=parent)
    run = allotments.run(ranking.campaign, actor=director)
    ranking.close()
    runs = [ranking.campaign.pk, run.pk]
    line = [*runs, run.allocations.first().pk]
    agent = visit(width=width).sign_in_as(director)
    pages = [
        reverse("admin:reenrolment_campaign_allotments", args=runs[:1]),
        reverse("admin:reenrolment_campaign_allotment", args=runs) + "?voir=tous",
        reverse("admin:reenrolment_campaign_allotment_line", args=line),
    ]
    assert faults(agent, pages) == {}
    assert faults(family, [edit, wishes, draw]) == {}

    allotments.publish(run, actor=director)
    settle()
    assert faults(agent, pages[:2]) == {}
    assert faults(family, [edit, wishes, draw]) == {}


@WIDTHS
def test_the_second_factor_from_the_drawing_to_the_code(visit, registrar, settings, width):
    """Played whole: each of its pages comes after a button of the one before."""
    settings.STAFF_SECOND_FACTOR = True
    visitor = visit(width=width).sign_in_as(registrar)
    page, found = visitor.page, []

    def look():
        found.extend(visitor.axe() + ["overflows"] * visitor.overflows())

    page.goto(reverse("admin:index"))
    look()
    page.get_by_role("button", name="Commencer").click()
    device = TOTPDevice.objects.get()
    assert page.get_by_role("img").evaluate("image => image.naturalWidth") > 100
    look()
    page.get_by_label("Code").fill(code_of(device))
    page.get_by_role("button", name="Valider").click()
    code = page.get_by_role("listitem").get_by_role("code").first.inner_text()
    look()
    page.get_by_role("link", name="Je les ai gardés, continuer").click()
    page.wait_for_url("**/admin/")
    for name in ("second_factor", "renew_recovery_codes", "remove_second_factor"):
        page.goto(reverse(f"accounts:{name}"))
        look()

    visitor.sign_in_as(registrar)
    page.goto(reverse("admin:index"))
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Continuer").click()
    look()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/admin/")
    assert found == []


@WIDTHS
def test_the_teachers_pages(visit, teacher, student, width):
    piano = CourseFactory(name="Piano", scheduling=Scheduling.TEACHER, teacher=teacher)
    enrolment = EnrolmentFactory(student=student, course=piano)
    make_time(piano, EnrolmentFactory(course=piano))
    make_portrait(student)
    visitor = visit(width=width).sign_in_as(teacher.user)

    assert (
        faults(
            visitor,
            [
                reverse("teacher:index"),
                reverse("teacher:classes"),
                reverse("teacher:all_lists", args=[piano.school_year_id]),
                reverse("teacher:slot", args=[teacher.slots.first().pk]),
                reverse("teacher:course", args=[piano.pk]),
                reverse("teacher:course", args=[piano.pk]) + "?vue=trombinoscope",
                reverse("teacher:hour", args=[enrolment.pk]),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_administrations_pages(visit, parent, director, student, life, width):
    case = make_case(student)
    rule = PieceRuleFactory()
    case.fill_in()
    dossier = case.submit(parent)
    slot = case.slot
    campaign = dossier.campaign
    silent = FamilyFactory(name="Zola")
    GuardianFactory(family=silent, user=None, email="", first_name="Émile")
    CustodyFactory(student=student, family=silent, rank=2)
    launches.launch(campaign, actor=director, expected=2)
    while launches.prepare_next():
        pass
    mails.give_up(Mail.objects.get(kind=MailKind.LAUNCH), "Adresse refusée (550 5.1.1 inconnu)")
    GuardianFactory(family=silent, user=None, email="", first_name="Alexandrine")
    erasure = erasures.ask(parent.guardian.family, text="Tout le foyer.", actor=parent)
    visitor = visit(width=width).sign_in_as(director)
    lists = [
        *("reenrolment_reenrolment", "reenrolment_campaign", "reenrolment_terms"),
        *("documents_document", "documents_piecerule", "documents_documenttype"),
        *("students_student", "students_course", "students_slot", "students_enrolment"),
        *("families_family", "families_erasurerequest", "billing_invoice"),
        *("accounts_user", "accounts_mail"),
    ]

    assert (
        faults(
            visitor,
            [
                reverse("admin:index"),
                *[reverse(f"admin:{name}_changelist") for name in lists],
                reverse("admin:reenrolment_reenrolment_change", args=[dossier.pk]),
                *[
                    reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk])
                    for name in (
                        *("change", "launch", "launch_rehearsal", "launch_letters"),
                        "reminders",
                    )
                ],
                reverse("admin:reenrolment_campaign_launch_progress", args=[campaign.pk])
                + "?etat=",
                reverse("admin:families_erasurerequest_change", args=[erasure.pk]),
                reverse("admin:students_student_change", args=[student.pk]),
                reverse("admin:students_slot_change", args=[slot.pk]),
                reverse("admin:students_course_add"),
                reverse("admin:documents_documenttype_add"),
                reverse("admin:documents_document_change", args=[Document.objects.get().pk]),
                reverse("admin:documents_piecerule_change", args=[rule.pk]),
                reverse("admin:billing_invoice_change", args=[life[0].pk]),
                reverse("admin:lists"),
                *[
                    reverse(f"admin:list_{verb}", args=[slug])
                    for verb in ("import", "export")
                    for slug in ("responsables", "creneaux")
                ],
                *[reverse(f"admin:accounts_list{log}_changelist") for log in ("import", "export")],
            ],
        )
        == {}
    )


@WIDTHS
def test_the_desk_of_a_campaign(visit, parent, director, student, width):
    """With a slot of each tone, its buttons shown, and the pages that its links lead to."""
    case = make_case(student)
    case.fill_in()
    case.submit(parent)
    long = CourseFactory(coming=True, name="Formation musicale et culture du premier cycle, C1-3")
    slots = [SlotFactory(course=long, group=group, places=n) for n, group in enumerate("ABC")]
    closing.close(slots[2])
    campaign = case.campaign
    EarlyAccess.objects.create(
        campaign=campaign, criterion=EarlyGroup.SIBLINGS, opens_at=campaign.opens_at
    )
    CourseFactory(name="Cours à reconduire")
    visitor = visit(width=width).sign_in_as(director)

    def campaign_page(name):
        return reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk])

    assert (
        faults(
            visitor,
            [
                campaign_page("extend"),
                reverse("admin:students_slot_close", args=[slots[1].pk]),
                reverse("admin:students_slot_change", args=[slots[2].pk]),
                *[
                    reverse("admin:students_schoolyear_roll_over", args=[pk])
                    for pk in (campaign.previous_year_id, campaign.school_year_id)
                ],
                campaign_page("desk"),
            ],
        )
        == {}
    )
    for summary in visitor.page.locator("#desk-slots summary").all():
        summary.click()
    assert visitor.axe() + ["overflows"] * visitor.overflows() == []


@WIDTHS
def test_the_pages_of_households_and_doubles(visit, parent, registrar, family, width):
    """Accounts in every state, a likely double, two comparisons, the log of merges."""
    mother, site = parent.guardian, parent.establishments.get()
    other = GuardianFactory(family=family, first_name="Paul", user=None, email="p@example.org")
    invite(other, actor=registrar, establishment=site)
    GuardianFactory(family=family, user__username="martin.c2")
    GuardianFactory(family=family, first_name="Rose", user__is_active=False)
    GuardianFactory(family=family, first_name="Zoé", user=None, email="")
    double = FamilyFactory(name="Vandermeersch-Delannoy de Hautecombe")
    twin = GuardianFactory(family=double, user=None)
    DocumentFactory(family=double)
    gone = FamilyFactory()
    absorbing.absorb_family(
        kept=double.pk,
        absorbed=gone.pk,
        actor=registrar,
        seen=absorbing.compare(double, gone).fingerprint,
    )
    visitor = visit(width=width).sign_in_as(registrar)
    same_name = Guardian.objects.filter(family=family, first_name="Claire").exclude(pk=mother.pk)

    def page(name, *keys):
        return reverse(f"admin:families_family_{name}", args=keys)

    assert (
        faults(
            visitor,
            [
                page("changelist"),
                page("change", family.pk),
                page("household_accounts", family.pk),
                page("doubles"),
                page("merge_families", family.pk, double.pk),
                page("merge_guardians", mother.pk, same_name.get().pk),
                page("merge_guardians", mother.pk, twin.pk),  # refused: two households
                reverse("admin:families_merge_changelist"),
                reverse("admin:families_merge_change", args=[Merge.objects.get().pk]),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_pages_of_an_account_of_several_sites(visit, parent, registrar, student, width):
    """« Changer de site » in both headers, and a form of the other site in a second tab."""
    danse = EstablishmentFactory(name="École municipale de danse et d'art dramatique")
    for user in (parent, registrar):
        user.establishments.add(danse)
    visitor = visit(width=width).sign_in_as(parent)
    page = visitor.page
    assert faults(visitor, [reverse("imuse:home")]) == {}

    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    other_tab = visitor.context.new_page()
    other_tab.goto(reverse("families:identity"))
    other_tab.get_by_label("Site", exact=True).select_option(label=danse.name)
    other_tab.get_by_role("button", name="Changer de site").click()
    other_tab.get_by_text("Vous êtes maintenant sur le site").wait_for()
    page.get_by_label("Informations complémentaires").fill("Pas le mardi.")
    page.get_by_text("Enregistrement automatique impossible").wait_for()
    page.get_by_role("button", name="Enregistrer", exact=True).last.click()
    page.get_by_role("heading", name="Rien n'est enregistré").wait_for()
    assert visitor.axe() + ["overflows"] * visitor.overflows() == []
    page.get_by_role("button", name="Revenir à ce site").click()
    page.wait_for_url("**/reinscription/")
    assert page.locator(".site-name").inner_text() == "Conservatoire"

    visitor = visit(width=width).sign_in_as(registrar)
    lists = ["admin:index", "admin:students_course_changelist"]
    assert faults(visitor, [reverse(name) for name in lists]) == {}


@WIDTHS
def test_pages_with_errors(visit, parent, width):
    visitor = visit(width=width)
    page = visitor.page
    page.goto(reverse("accounts:sign_in"))
    page.get_by_role("button", name="Se connecter").click()
    expect(page).to_have_title(re.compile(r"^\s*Erreur"))
    assert visitor.axe() == []

    visitor.sign_in_as(parent)
    page.goto(reverse("families:identity"))
    page.get_by_label("Téléphone portable").fill("12")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page).to_have_title(re.compile(r"^\s*Erreur"))
    assert page.get_by_label("Téléphone portable").input_value() == "12"
    assert page.evaluate("document.activeElement.matches('.error-summary')")
    assert visitor.axe() == []


def test_by_keyboard_alone(visit, parent, student):
    """Skip link, the tick by Space, Enter saves and sends nothing."""
    visitor = visit()
    page = visitor.page
    page.goto(reverse("accounts:sign_in"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page.keyboard.press("Enter")
    page.get_by_label("Identifiant").focus()
    page.keyboard.type("martin.c")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Bonjour Claire").wait_for()

    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Réinscription administrative").focus()
    page.keyboard.press("Space")
    page.get_by_text("Vous arrêtez ce cours").first.click()
    page.get_by_label("Motif (facultatif)").first.fill("Déménagement")
    page.get_by_label("Motif (facultatif)").first.press("Enter")
    page.get_by_text("Votre saisie est enregistrée. Rien n'est encore envoyé.").wait_for()

    assert page.get_by_label("Réinscription administrative").is_checked()
    assert page.get_by_label("Motif (facultatif)").first.input_value() == "Déménagement"


def test_the_page_saves_itself_as_one_goes(visit, parent, student):
    visitor = visit(width=360).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Informations complémentaires").fill("Pas le mardi, merci.")
    page.get_by_text("Saisie enregistrée à").wait_for()

    other_tab = visitor.context.new_page()
    other_tab.goto(reverse("reenrolment:edit", args=[student.pk]))
    comment = other_tab.get_by_label("Informations complémentaires")
    assert comment.input_value() == "Pas le mardi, merci."

    comment.fill("Ni le mercredi.")
    other_tab.get_by_text("Saisie enregistrée à").wait_for()
    page.get_by_label("Réinscription administrative").check()
    page.get_by_role("button", name="Enregistrer", exact=True).last.click()
    assert page.get_by_label("Informations complémentaires").input_value() == "Ni le mercredi."


def test_a_refused_file_is_told_without_leaving_the_page(visit, parent, student, files):
    visitor = visit(width=360).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Informations complémentaires").fill("Tapé avant.")

    page.get_by_label(HOME, exact=True).set_input_files(files / "reçu.pdf")
    page.locator(".piece", has_text=HOME).get_by_text("recu.pdf").wait_for()

    assert page.get_by_label("Informations complémentaires").input_value() == "Tapé avant."
    assert visitor.axe() == []
