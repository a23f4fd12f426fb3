"""docs/roles.md, line by line and role by role, over HTTP: the document cannot lie."""

import re
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import roles, throttling
from accounts.models import User
from billing import services as billing
from billing.enums import PaymentMeans
from billing.instruments.enums import RentalState
from billing.models import PaymentReminder, RegieSettings, Rental
from families import erasures
from reenrolment.enums import CampaignMode
from reenrolment.models import Allotment
from students import waiting
from students.enums import Scheduling, Weekday
from teaching.enums import ClosureKind
from teaching.models import Closure
from tests.accounts.codes import set_up
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    EvaluationFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    InvoiceRunFactory,
    PaymentPlanFactory,
    PieceRuleFactory,
    RentalFactory,
    RepertoirePieceFactory,
    SchoolYearFactory,
    SlotFactory,
    TariffRateFactory,
    UserFactory,
)
from tests.reenrolment.conftest import make_case
from tests.reenrolment.reminder_cases import make_reminder
from tests.teaching.announcement_cases import deliver, make_draft, write
from tests.teaching.register_cases import make_absence
from tests.test_admin_pages import make_line
from tests.test_urls import changeable_lesson, make_concerts

ROLES = {
    "famille": "parent",
    "enseignant": "teacher",
    "secrétariat": "registrar",
    "régie": "accountant",
    "direction": "director",
}


def documented():
    """{line: {role: may he?}}, as the table of docs/roles.md has it."""
    text = (settings.BASE_DIR / "docs" / "roles.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    header, _, *lines = rows
    assert header[1:] == list(ROLES)
    return {
        line: dict(zip(ROLES, (cell != "–" for cell in cells), strict=True))
        for line, *cells in lines
    }


@pytest.fixture
def rows(parent, student, family, teacher, superuser, establishment):
    document = DocumentFactory(type=PieceRuleFactory().document_type, family=family)
    case = make_case(student)
    case.fill_in()
    case.submit(parent)
    awaited = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    waiting.set_wishes(student, awaited.course, [awaited], actor=None)
    slot = SlotFactory(teacher=teacher)
    pupil = EnrolmentFactory(student=student, course=slot.course, place=slot.places.get())
    individual = EnrolmentFactory(
        student=student, course=CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER)
    )
    piece = RepertoirePieceFactory(student=student, course=slot.course)
    turn, announced = make_concerts(pupil, teacher)
    evaluation = EvaluationFactory(
        enrolment=individual,
        published=True,
    )
    invoice = InvoiceLineFactory(invoice__family=family).invoice
    rental = RentalFactory(family=family, student=student, insured=True)
    issued = billing.issue(invoice, actor=superuser)
    payment = billing.record_payment(
        issued,
        amount=Decimal(1),
        means=PaymentMeans.CHEQUE,
        paid_on=issued.issued_on,
        reference="CHQ 1",
        actor=superuser,
    )
    reminder = PaymentReminder.objects.create(establishment=establishment, actor=superuser)
    line = make_line(case)
    rate = TariffRateFactory(grid__deliberation_number="")
    called, absence = make_absence(student, teacher)
    return {
        "student": student.pk,
        "family": family.pk,
        "double": FamilyFactory().pk,
        "guardian": parent.guardian.pk,
        "twin": GuardianFactory(family=family).pk,
        "erasure": erasures.ask(family, text="Tout.", actor=parent).pk,
        "class": slot.pk,
        "pupil": pupil.pk,
        "piece": piece.pk,
        "turn": turn.pk,
        "concert": turn.concert_id,
        "announced": announced.pk,
        "evaluation": evaluation.pk,
        "period": evaluation.period_id,
        "lesson": changeable_lesson(teacher).key,
        "closure": Closure.objects.create(
            kind=ClosureKind.CLOSED,
            name="Pont",
            establishment=establishment,
            first_on=timezone.localdate(),
            last_on=timezone.localdate(),
        ).pk,
        "called": called,
        "individual": individual.pk,
        "absence": absence.pk,
        "announcement": deliver(write(slot, teacher)).pk,
        "withdrawable": deliver(write(slot, teacher)).pk,
        "to_teachers": deliver(make_draft(to_teachers=True)).pk,
        "to_families": make_draft().pk,
        "awaited": awaited.pk,
        "wish": student.waiting_entries.get().pk,
        "document": document.pk,
        "rental": rental.pk,
        "instrument": rental.instrument_id,
        "invoice": issued.pk,
        "payment": payment.pk,
        "deposit": payment.deposit_id,
        "payment_reminder": reminder.pk,
        "regie": RegieSettings.objects.create(establishment=establishment).pk,
        "plan": PaymentPlanFactory().pk,
        "draft": InvoiceLineFactory(invoice__family=family).invoice.pk,
        "run": InvoiceRunFactory().pk,
        "case": case,
        "dossier": case.reenrolment.pk,
        "campaign": case.campaign.pk,
        "reminder": make_reminder(case.campaign, superuser).pk,
        "year": case.campaign.previous_year_id,
        "ranked": line.allotment.campaign_id,
        "allotment": line.allotment_id,
        "allocation": line.pk,
        "publishable": publishable(),
        "establishment": establishment.pk,
        "tariffs": rate.grid_id,
        "category": rate.category_id,
        "unused": CourseFactory(name="Cornemuse").pk,
        "superuser": superuser.pk,
        "agent": UserFactory(username="collegue", is_staff=True),
        "parent": parent,
    }


def publishable():
    """The keys of a campaign that is closed and of its trial, in which nobody has a place."""
    campaign = CampaignFactory(
        closed=True, school_year=SchoolYearFactory(offset=3), mode=CampaignMode.ALLOTMENT
    )
    made = {"seed": "graine", "made_at": timezone.now(), "made_by": UserFactory()}
    return campaign.pk, Allotment.objects.create(campaign=campaign, **made).pk


def opens(response) -> bool:
    """The page, or what follows a form; neither a refusal nor the sign-in page."""
    doors = (reverse("admin:login"), reverse("accounts:sign_in"))
    sent_away = response.status_code == 302 and response.url.startswith(doors)
    return response.status_code in (200, 302) and not sent_away


def address(name, keys, rows):
    """A key that is no row is the name of a list."""
    return reverse(name, args=[rows.get(key, key) for key in keys])


def get(name, *keys):
    def play(client, rows):
        return opens(client.get(address(name, keys, rows)))

    return play


def post(name, *keys, **data):
    def play(client, rows):
        return opens(client.post(address(name, keys, rows), data))

    return play


def every(*plays):
    """All of them or none: a line that a role could half do would be two lines."""

    def play(client, rows):
        [answer] = {each(client, rows) for each in plays}
        return answer

    return play


def act(client, action, user):
    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": action, "_selected_action": [user.pk]},
    )


def unlock(whom):
    def play(client, rows):
        user = rows[whom]
        for _ in range(5):
            throttling.begin(user.username, "")
        act(client, "unlock", user)
        return throttling.suspended_until(user) is None

    return play


def close_sessions(whom):
    def play(client, rows):
        before = rows[whom].session_generation
        act(client, "close_sessions", rows[whom])
        return User.objects.get(pk=rows[whom].pk).session_generation > before

    return play


def remove_second_factor(client, rows):
    set_up(rows["agent"])
    act(client, "remove_second_factor", rows["agent"])
    return not rows["agent"].totpdevice_set.exists()


def send_one_time_password(client, rows):
    act(client, "send_one_time_password", rows["parent"])
    return rows["parent"].mails.exists()


def give_a_group(client, rows):
    agent = rows["agent"]
    roles.sync()
    client.post(
        reverse("admin:accounts_user_change", args=[agent.pk]),
        {
            "username": agent.username,
            "email": agent.email,
            "establishments": [rows["establishment"]],
            "is_active": "on",
            "is_staff": "on",
            "groups": [Group.objects.get(name=roles.REGIE).pk],
        },
    )
    return agent.groups.exists()


def place(client, rows):
    choice = rows["case"].choice(rows["case"].choir).pk
    url = reverse("admin:reenrolment_reenrolment_place", args=[rows["dossier"], choice])
    return opens(client.post(url))


def give_early_access(client, rows):
    url = reverse("admin:reenrolment_campaign_change", args=[rows["campaign"]])
    row = {"criterion": "residents", "opens_at": "2020-01-01T18:00"}
    client.post(
        url,
        {
            "opens_at": "2020-05-03T18:00",
            "closes_at": "2099-06-11T18:00",
            "hold_minutes": 30,
            "travel_minutes": 20,
            "offer_hours": 48,
            "terms": rows["case"].campaign.terms_id,
            "early_accesses-TOTAL_FORMS": 1,
            "early_accesses-INITIAL_FORMS": 0,
            **{f"early_accesses-0-{name}": value for name, value in row.items()},
        },
    )
    return rows["case"].campaign.early_accesses.exists()


def publish(client, rows):
    url = reverse("admin:reenrolment_campaign_allotment_publish", args=rows["publishable"])
    client.post(url, {"confirm": "on"})
    return Allotment.objects.published().exists()


def hand_over(client, rows):
    url = reverse("admin:billing_rental_step", args=[rows["rental"], "remettre"])
    rental = Rental.objects.get(pk=rows["rental"])
    client.post(url, {"on": rental.starts_on, "condition": "good"})
    rental.refresh_from_db()
    return rental.state == RentalState.ONGOING


def touch_the_superuser(client, rows):
    url = reverse("admin:accounts_user_change", args=[rows["superuser"]])
    return opens(client.post(url, {"username": "informatique"}))


def switch_site(client, rows):
    user = User.objects.get(pk=client.session["_auth_user_id"])
    user.establishments.add(annexe := EstablishmentFactory(name="Annexe"))
    return opens(client.post(reverse("accounts:switch_site"), {"site": annexe.pk}))


MOVES = ["offer", "remove"]  # without the reason: shown again

PLAYS = {
    "Changer son mot de passe": get("accounts:change_password"),
    "Modifier son adresse e-mail, voir ses connexions": every(
        get("accounts:change_email"), get("accounts:connections")
    ),
    "Passer d'un de ses sites à l'autre": switch_site,
    "Lire l'identité, les cours et l'historique d'un élève sur l'extranet": every(
        *[get(f"students:{tab}", "student") for tab in ("identity", "courses", "history")]
    ),
    "Modifier l'adresse et les responsables d'un foyer sur l'extranet": post("families:identity"),
    "Demander une copie de ses données, l'effacement de son foyer": every(
        get("families:my_data"), post("families:ask_export"), post("families:ask_erasure")
    ),
    "Réinscrire un élève sur l'extranet": get("reenrolment:edit", "student"),
    "Relire une pièce d'un foyer sur l'extranet": get("documents:download", "document"),
    "Lire une facture sur l'extranet": every(
        get("billing:invoice", "invoice"), get("billing:invoice_pdf", "invoice")
    ),
    "Lire le répertoire d'un élève sur l'extranet": get("students:repertoire", "student"),
    "Lire, compléter et corriger le répertoire d'un élève": every(
        get("teacher:repertoire", "pupil"),
        post("teacher:add_piece", "pupil"),
        post("teacher:piece", "piece", edition="1"),
        post("teacher:add_to_slot", "class"),
    ),
    "Lire les auditions où un élève joue": every(
        get("teaching:concerts", "student"), get("teaching:concert", "student", "announced")
    ),
    "Proposer le passage d'un élève à une audition, imprimer le programme": every(
        post("teacher:propose_turn", "concert"),
        post("teacher:turn", "turn", edition="1"),
        get("teacher:concert_pdf", "concert"),
    ),
    "Préparer une audition, l'annoncer, l'annuler, l'inscrire aux répertoires": every(
        get("admin:teaching_concert_add"),
        get("admin:teaching_concertturn_change", "turn"),
        *[get(f"admin:teaching_concert_{name}", "concert") for name in ("publish", "pdf")],
        *[post(f"admin:teaching_concert_{name}", "announced") for name in ("cancel", "record")],
    ),
    "Écrire l'évaluation d'un élève": every(
        get("teacher:evaluation_slot", "period", "class"),
        post("teacher:evaluation", "period", "pupil", edition="0", comment="Bien."),
    ),
    "Lire les évaluations publiées d'un élève, son bulletin": every(
        get("teaching:evaluations", "student"), get("teaching:bulletin", "student", "period")
    ),
    "Fixer les périodes, critères et barèmes des évaluations": every(
        get("admin:teaching_period_add"),
        get("admin:teaching_criterion_add"),
        get("admin:teaching_scale_add"),
    ),
    "Lire les évaluations dans l'administration, en rouvrir une": every(
        get("admin:teaching_evaluation_changelist"),
        post("admin:teaching_evaluation_reopen", "evaluation"),
    ),
    "Lire l'emploi du temps d'un élève": every(
        get("teaching:week"), get("teaching:student_week", "student")
    ),
    "Lire son emploi du temps": get("teacher:week"),
    "Donner à son agenda une adresse privée des cours de son foyer": every(
        get("teaching:feed"), post("teaching:make_feed"), post("teaching:revoke_feed")
    ),
    "Donner à son agenda une adresse privée de ses séances": every(
        get("teacher:feed"), post("teacher:make_feed"), post("teacher:revoke_feed")
    ),
    "Annuler, déplacer, faire remplacer et rétablir une séance, l'absence d'un enseignant": every(
        get("admin:teaching_lesson_plan", "lesson"),
        post("admin:teaching_lesson_plan", "lesson", act="cancel"),
        post("admin:teaching_lesson_plan", "lesson", act="restore"),
        get("admin:teaching_lesson_absence"),
    ),
    "Annuler et déplacer sa propre séance, si l'établissement le permet": every(
        get("teacher:change_lesson", "lesson"),
        post("teacher:change_lesson", "lesson", act="cancel"),
    ),
    "Lire l'occupation des salles et les conflits": every(
        get("admin:teaching_lesson_changelist"),
        get("admin:teaching_lesson_rooms"),
        get("admin:teaching_lesson_conflicts"),
    ),
    "Noter les vacances, les jours fériés, les fermetures, et en prévenir les familles": every(
        get("admin:teaching_closure_changelist"),
        post("admin:teaching_closure_add"),
        get("admin:teaching_closure_tell", "closure"),
        post("admin:teaching_closure_tell", "closure"),
    ),
    "Régler l'emploi du temps": get("admin:teaching_timetablesettings_add"),
    "Lire, imprimer et exporter la liste d'une classe": every(
        get("teacher:slot", "class"), get("teacher:slot_file", "class")
    ),
    "Permettre aux enseignants d'un élève de voir sa photo": post(
        "students:image_consent", "student"
    ),
    "Fixer, changer, retirer l'heure d'un cours individuel sur l'extranet": every(
        get("teacher:hour", "individual"), post("teacher:end_hour", "individual")
    ),
    "Fixer, changer, retirer l'heure d'un cours sans créneau dans l'administration": every(
        get("admin:teaching_lessontime_add"), post("admin:teaching_lessontime_add")
    ),
    "Choisir la pièce dont les photos des listes sont tirées": get(
        "admin:teaching_portraitsource_add"
    ),
    "Faire et corriger l'appel d'une séance": get("teacher:register", "called"),
    "Lire les absences d'un élève sur l'extranet, les justifier, en annoncer": every(
        get("teaching:absences", "student"),
        get("teaching:announce_absence", "student"),
        get("teaching:justify_absence", "student", "absence"),
    ),
    "Lire les appels, les absences et les annonces des familles": every(
        *[
            get(f"admin:teaching_{name}")
            for name in (
                *["register_changelist", "register_missing", "absence_changelist"],
                *["absence_repeated", "absencenotice_changelist"],
            )
        ],
    ),
    "Répondre aux justifications d'absence": get("admin:teaching_absence_answer", "absence"),
    "Exporter les absences": post("admin:list_export", "absences"),
    "Lire les messages du conservatoire, choisir de ne plus en recevoir par e-mail": every(
        get("teaching:announcements"),
        get("teaching:announcement", "announcement"),
        post("teaching:read_announcement", "announcement"),
        post("teaching:message_preferences", news="on"),
    ),
    "Écrire aux familles d'une classe, voir qui l'a lu, retirer son message": every(
        get("teacher:write_to_slot", "class"),
        post("teacher:write_to_slot", "class", text="Bonjour."),
        get("teacher:announcement", "announcement"),
        post("teacher:withdraw_announcement", "withdrawable"),
    ),
    "Lire les messages que l'administration envoie aux enseignants": every(
        get("teacher:received_announcement", "to_teachers"),
        post("teacher:read_announcement", "to_teachers"),
    ),
    "Écrire un message aux familles ou aux enseignants, l'envoyer, le retirer, voir qui l'a lu, "
    "l'exporter": every(
        get("admin:teaching_announcement_changelist"),
        get("admin:teaching_announcement_add"),
        post("admin:teaching_announcement_preview", "to_families", act="send"),
        get("admin:teaching_announcement_report", "to_teachers"),
        get("admin:teaching_announcement_report_export", "to_teachers"),
        post("admin:teaching_announcement_preview", "to_teachers", act="withdraw"),
    ),
    "Changer les réglages des absences": get("admin:teaching_registersettings_add"),
    "Remplir une réinscription au guichet": every(
        get("reenrolment:assist", "student"), post("reenrolment:assist", "student")
    ),
    "Lire les dossiers de réinscription": every(
        get("admin:reenrolment_reenrolment_changelist"),
        get("admin:reenrolment_reenrolment_change", "dossier"),
    ),
    "Placer un élève, demander un complément, décider d'un dossier": every(
        place,
        *[
            post(f"admin:reenrolment_reenrolment_{name}", "dossier")
            for name in ("request_complement", "validate", "refuse", "withdraw")
        ],
    ),
    "Ouvrir le fichier d'une pièce, ou voir ses pages (la consultation est inscrite)": every(
        get("admin:documents_document_file", "document"),
        get("admin:reenrolment_reenrolment_view_piece", "dossier", "document"),
    ),
    "Accepter ou refuser une pièce, noter sa date et le quotient familial": every(
        post("admin:documents_document_accept", "document"),
        post("admin:reenrolment_reenrolment_refuse_piece", "dossier", "document"),
        post("admin:reenrolment_reenrolment_accept_piece", "dossier", "document"),
        *[
            post(f"admin:reenrolment_reenrolment_{name}", "dossier", "document")
            for name in ("accept_viewed", "refuse_viewed", "note_viewed")
        ],
    ),
    "Préparer une campagne et ses conditions générales": every(
        get("admin:reenrolment_campaign_add"), get("admin:reenrolment_terms_add")
    ),
    "Calculer une répartition des vœux, en changer une ligne": every(
        get("admin:reenrolment_campaign_allotments", "ranked"),
        post("admin:reenrolment_campaign_allotments", "ranked"),
        get("admin:reenrolment_campaign_allotment", "ranked", "allotment"),
        post(
            "admin:reenrolment_campaign_allotment_line",
            *["ranked", "allotment", "allocation"],
            reason="Santé.",
        ),
    ),
    "Publier une répartition des vœux": publish,
    "Lancer les réinscriptions": every(
        get("admin:reenrolment_campaign_launch", "campaign"),
        post("admin:reenrolment_campaign_launch", "campaign", expected=1, confirm="on"),
    ),
    "Relancer les familles pour leurs pièces": every(
        get("admin:reenrolment_campaign_reminders", "campaign"),
        get("admin:reenrolment_campaign_reminder_progress", "campaign", "reminder"),
        post("admin:reenrolment_campaign_reminders", "campaign"),
        post("admin:reenrolment_campaign_reminder_message", "campaign"),
        post("admin:reenrolment_campaign_reminder_cancel", "campaign", "reminder"),
    ),
    "Piloter une campagne, la prolonger, donner un accès anticipé": every(
        get("admin:reenrolment_campaign_desk", "campaign"),
        post("admin:reenrolment_campaign_extend", "campaign", closes_at="2099-06-11T18:00"),
        give_early_access,
    ),
    "Fermer ou rouvrir un créneau, changer sa capacité": every(
        post("admin:students_slot_close", "class"),
        post("admin:students_slot_reopen", "class"),
        post("admin:students_slot_resize", "class", capacity=3),
    ),
    "Reconduire les cours d'une année": every(
        get("admin:students_schoolyear_roll_over", "year"),
        post("admin:students_schoolyear_roll_over", "year"),
    ),
    "Lire les besoins par discipline d'une année, les exporter": every(
        get("admin:reenrolment_campaign_needs"), get("admin:reenrolment_campaign_needs_export")
    ),
    "Lire les salles et les heures d'enseignement d'une année": every(
        get("admin:teaching_lesson_year_rooms"), get("admin:teaching_lesson_loads")
    ),
    "Créer un cours, un créneau, ajouter une place": every(
        get("admin:students_course_add"),
        get("admin:students_slot_add"),
        post("admin:students_slot_add_place", "class", reason="Un élève de trop"),
    ),
    "Lire les listes d'attente et leur journal": every(
        get("admin:students_waitingentry_changelist"),
        get("admin:students_waitingentry_change", "wish"),
        get("admin:students_waitingentry_line", "awaited"),
        get("admin:students_waitingentry_log", "awaited", "wish"),
    ),
    "Proposer une place à un élève en attente, le retirer de la liste": every(
        *[post(f"admin:students_waitingentry_{name}", "awaited", "wish") for name in MOVES]
    ),
    "Créer et modifier un élève et ses foyers": every(
        get("admin:students_student_add"),
        post("admin:students_student_change", "student"),
        get("admin:families_family_add"),
        post("admin:families_family_change", "family"),
    ),
    "Lire la fiche d'une famille": get("admin:families_family_change", "family"),
    "Inviter un responsable, fermer ou rouvrir son compte": every(
        get("admin:families_family_household_accounts", "family"),
        *[
            post(f"admin:families_family_{name}", "family", "guardian")
            for name in ("invite", "close_account", "reopen_account")
        ],
    ),
    "Comparer et fusionner des doublons, lire le journal des fusions": every(
        get("admin:families_family_doubles"),
        post("admin:families_family_merge_families", "family", "double"),
        post("admin:families_family_merge_guardians", "guardian", "twin"),
        get("admin:families_merge_changelist"),
    ),
    "Lire les demandes d'effacement, en enregistrer une": every(
        get("admin:families_erasurerequest_changelist"),
        get("admin:families_erasurerequest_change", "erasure"),
        post("admin:families_erasurerequest_add"),
    ),
    "Effacer les données d'un foyer, répondre à sa demande": every(
        post("admin:families_erasurerequest_erase", "erasure"),
        post("admin:families_erasurerequest_answer", "erasure"),
    ),
    "Importer et exporter familles, responsables, élèves, gardes, cours et créneaux": every(
        *[
            post(f"admin:list_{way}", slug)
            for way in ("import", "export")
            for slug in ("familles", "responsables", "eleves", "gardes", "cours", "creneaux")
        ]
    ),
    "Exporter les inscriptions et les dossiers": every(
        post("admin:list_export", "inscriptions"), post("admin:list_export", "dossiers")
    ),
    "Exporter les factures": post("admin:list_export", "factures"),
    "Lire le journal des imports et des exports": every(
        get("admin:accounts_listimport_changelist"), get("admin:accounts_listexport_changelist")
    ),
    "Choisir les types de pièces et les pièces demandées": every(
        get("admin:documents_documenttype_add"), get("admin:documents_piecerule_add")
    ),
    "Préparer et émettre une facture": every(
        get("admin:billing_invoice_add"), post("admin:billing_invoice_change", "draft")
    ),
    "Préparer, contrôler et émettre une facturation groupée": every(
        get("admin:billing_invoicerun_add"),
        get("admin:billing_invoicerun_change", "run"),
        get("admin:billing_invoicerun_issue_all", "run"),
        post("admin:billing_invoicerun_stop", "run"),
    ),
    "Annuler une facture, émettre un avoir": every(
        get("admin:billing_invoice_cancel", "invoice"),
        get("admin:billing_invoice_credit", "invoice"),
    ),
    "Enregistrer un paiement": post("admin:billing_invoice_record_payment", "invoice"),
    "Préparer une grille tarifaire, l'importer, la comparer, la recopier pour l'année suivante": (
        every(
            get("admin:billing_tariffgrid_add"),
            get("admin:billing_tariffcategory_add"),
            post("admin:billing_tariffgrid_change", "tariffs"),
            post("admin:billing_tariffgrid_rates", "tariffs", "category"),
            post("admin:billing_tariffgrid_duplicate", "tariffs"),
            get("admin:billing_tariffgrid_compare", "tariffs"),
            post("admin:billing_tariffgrid_import_grid", "tariffs"),
            *[post(f"admin:list_{way}", "tarifs") for way in ("import", "export")],
        )
    ),
    "Publier une grille tarifaire, la finir plus tôt": every(
        post("admin:billing_tariffgrid_publish", "tariffs"),
        post("admin:billing_tariffgrid_shorten", "tariffs"),
    ),
    "Dire dans quelle catégorie tarifaire un cours se facture": post(
        "admin:billing_tariffcategory_courses", "year"
    ),
    "Lire le parc d'instruments, les locations et leur contrat": every(
        get("admin:billing_instrument_changelist"),
        get("admin:billing_rental_change", "rental"),
        get("admin:billing_rental_contract", "rental"),
        post("admin:list_export", "locations"),
    ),
    "Tenir le parc d'instruments, l'importer et l'exporter": every(
        get("admin:billing_instrument_add"),
        get("admin:billing_instrumentkind_add"),
        post("admin:list_import", "instruments"),
        post("admin:list_export", "instruments"),
    ),
    "Écrire les conditions de location d'un établissement": every(
        get("admin:billing_rentalterms_changelist"), get("admin:billing_rentalterms_add")
    ),
    "Louer un instrument, le remettre, le reprendre, suivre son dépôt": every(
        get("admin:billing_instrument_rent", "instrument"), hand_over
    ),
    "Lire une location de son foyer et son contrat sur l'extranet": every(
        get("billing:rental", "rental"), get("billing:rental_contract", "rental")
    ),
    "Noter une situation, répartir entre deux foyers": every(
        get("admin:billing_situation_add"), get("admin:billing_payershare_add")
    ),
    "Payer une facture en ligne": post("billing:pay", "invoice"),
    "Lire les paiements en ligne, interroger PayFiP, classer une alerte": every(
        get("admin:billing_paymentattempt_changelist"),
        post("admin:billing_paymentattempt_changelist", action="dismiss", _selected_action="1"),
    ),
    "Choisir le compte PayFiP d'un établissement": get("admin:billing_payfipaccount_add"),
    "Encaisser pour plusieurs factures, rembourser, reporter, enregistrer un rejet": every(
        get("admin:billing_payment_counter"),
        post("admin:billing_payment_deposit", "family"),
        post("admin:billing_invoice_refund", "invoice"),
        post("admin:billing_invoice_carry_over", "invoice"),
        post("admin:billing_payment_bounce", "payment"),
    ),
    "Lire le journal de la régie, le rapprochement, les quittances, ce qui est à régler": every(
        get("admin:billing_payment_journal"),
        get("admin:billing_payment_journal_export"),
        get("admin:billing_payment_reconciliation"),
        get("admin:billing_payment_reconciliation_export"),
        get("admin:billing_payment_receipt", "deposit"),
        get("admin:billing_invoice_to_settle"),
    ),
    "Arrêter une journée de caisse": post("admin:billing_payment_close_day", jour="2026-09-01"),
    "Relancer les foyers en retard de paiement": every(
        get("admin:billing_invoice_reminders"),
        post("admin:billing_invoice_reminder_message"),
        get("admin:billing_invoice_reminder_progress", "payment_reminder"),
        post("admin:billing_invoice_reminder_cancel", "payment_reminder"),
    ),
    "Changer les réglages de la régie et ses comptes": every(
        get("admin:billing_regiesettings_add"),
        post("admin:billing_regiesettings_change", "regie"),
    ),
    "Régler le paiement en plusieurs fois, lire les choix des familles": every(
        get("admin:billing_paymentplan_add"),
        post("admin:billing_paymentplan_change", "plan"),
        get("admin:billing_paymentplanchoice_changelist"),
    ),
    "Lire les messages envoyés": get("admin:accounts_mail_changelist"),
    "Débloquer le compte d'une famille ou d'un enseignant": unlock("parent"),
    "Fermer les sessions d'une famille ou d'un enseignant": close_sessions("parent"),
    "Débloquer le compte d'un agent": unlock("agent"),
    "Fermer les sessions d'un agent": close_sessions("agent"),
    "Créer un compte, lui envoyer un mot de passe provisoire": every(
        get("admin:accounts_user_add"), send_one_time_password
    ),
    "Donner un groupe à un agent": give_a_group,
    "Retirer la validation en deux étapes d'un agent": remove_second_factor,
    "Modifier les coordonnées d'un établissement, y permettre le téléphone d'urgence": post(
        "admin:accounts_establishment_change", "establishment"
    ),
    "Effacer ce qui a été créé par erreur et ne sert nulle part": post(
        "admin:students_course_delete", "unused", post="yes"
    ),
    "Créer un établissement, toucher au compte d'un super-utilisateur": every(
        get("admin:accounts_establishment_add"), touch_the_superuser
    ),
}


def test_every_line_of_the_document_is_played_and_no_other():
    assert list(documented()) == list(PLAYS)


def played(client, rows):
    """What each line answers, each on the same rows."""
    answers = {}
    for line, play in PLAYS.items():
        with transaction.atomic():
            answers[line] = play(client, rows)
            transaction.set_rollback(True)
    return answers


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_document_says(client, request, rows, role):
    person = request.getfixturevalue(ROLES[role])
    client.force_login(getattr(person, "user", person))

    assert played(client, rows) == {line: may[role] for line, may in documented().items()}


def test_the_superuser_may_do_whatever_an_agent_may(client, superuser, rows):
    client.force_login(superuser)
    of_others = ({"famille"}, {"enseignant"})

    assert played(client, rows) == {
        line: {role for role, may in roles_.items() if may} not in of_others
        for line, roles_ in documented().items()
    }


def test_every_role_of_the_code_is_a_column():
    assert {name.lower() for name in roles.ROLES} < set(ROLES)
