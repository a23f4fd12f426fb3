"""What this app holds about a household: the copy of « Mes données », the erasure."""

from django.db.models import Q

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from billing.enums import InvoiceStatus
from billing.models import (
    Deposit,
    Instalment,
    Invoice,
    InvoiceLine,
    PayerShare,
    Payment,
    PaymentAttempt,
    PaymentPlanChoice,
    PaymentReminderLine,
    RemindedInvoice,
    Situation,
)
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of

EXPORTED = {
    Invoice: [
        *["establishment", "school_year", "kind", "year", "number", "issued_on", "published_on"],
        *["due_on", "online_until", "counter_until", "parts", "credits", "reason"],
        *["payer_name", "payer_address"],
    ],
    InvoiceLine: ["kind", "student", "label", "explanation", "amount"],
    Instalment: ["number", "due_on", "amount"],
    Situation: ["student", "school_year", "code", "seen_on", "note"],
    PayerShare: ["percent"],
    PaymentPlanChoice: ["plan", "parts", "chosen_at"],
    PaymentAttempt: [
        *["instalment", "refdet", "amount", "state", "created_at", "settled_at"],
        *["numauto", "paid_at"],
    ],
    Payment: ["nature", "amount", "means", "paid_on", "reference", "note", "recorded_at"],
    RemindedInvoice: ["level", "overdue", "day"],
}
TO_HOUSEHOLDS = [
    *[MailKind.INVOICE, MailKind.PAYMENT_RECEIPT, MailKind.PAYMENT_CHECKED],
    *[MailKind.PAYMENT_BOUNCED, MailKind.PAYMENT_REMINDER],
]
NESTED = "dit où la ligne est rangée"
TEN_YEARS = "La loi oblige à garder dix ans les pièces comptables (code de commerce, L. 123-22)."


class BillingPart(Part):
    exported = EXPORTED
    not_exported = {
        "billing.InvoiceSeries": "un compteur",
        **{
            f"billing.{model}": "les tarifs de l'établissement, publics"
            for model in (
                *["TariffCategory", "CourseCategory", "TariffGrid"],
                *["TariffRate", "TariffModifier", "TariffFee", "TariffRental"],
            )
        },
        "billing.Invoice.family": NESTED,
        "billing.Invoice.run": "la facturation groupée dont elle vient : le travail de la régie",
        "billing.Invoice.status": "un brouillon n'est encore rien : la copie ne les contient pas",
        "billing.InvoiceRun": "le travail de la régie, sur toutes les familles",
        "billing.RunHousehold": "un calcul préparatoire : la facture en dit le résultat",
        "billing.InvoiceLine.invoice": NESTED,
        "billing.InvoiceLine.position": "les lignes sont dans leur ordre",
        "billing.Instalment.invoice": NESTED,
        "billing.Payment.invoice": NESTED,
        "billing.PaymentAttempt.invoice": NESTED,
        "billing.PaymentAttempt.payment": "il est parmi les paiements, sous la même référence",
        "billing.PaymentAttempt.number": "elle est dans la référence",
        **{
            f"billing.PaymentAttempt.{name}": "un identifiant technique de PayFiP"
            for name in ("idop", "numcli", "saisie", "resultrans")
        },
        **{
            f"billing.PaymentAttempt.{name}": "une note pour la régie\u00a0: ce qui est à vérifier"
            for name in ("alert", "dismissed")
        },
        **{
            f"billing.PaymentAttempt.{name}": "quand le site interroge PayFiP"
            for name in ("asked_at", "ask_at")
        },
        "billing.AttemptMove": "le journal des réponses de PayFiP\u00a0: la copie a l'état",
        "billing.PayFiPAccount": "le compte de l'établissement",
        "billing.Payment.reverses": "le rejet porte le montant et la référence",
        "billing.Payment.counterpart": "les deux factures du report sont dans la copie",
        "billing.Payment.recorded_by": "un agent",
        "billing.Situation.family": NESTED,
        "billing.Situation.noted_by": "un agent",
        "billing.PayerShare.custody": NESTED,
        "billing.PaymentPlan": "un réglage",
        "billing.PaymentPlanChoice.family": NESTED,
        "billing.PaymentPlanChoice.chosen_by": "un responsable du foyer, ou un agent au guichet",
        "billing.Payment.deposit": "la quittance : ses parts sont les paiements de la copie",
        "billing.Deposit": "la quittance : ses parts sont les paiements de la copie",
        "billing.ReceiptSeries": "un compteur",
        "billing.RegieSettings": "un réglage",
        "billing.AccountingCode": "un réglage",
        "billing.CashDay": "la caisse de l'établissement, sans aucun nom de famille",
        "billing.CashDayTotal": "la caisse de l'établissement, sans aucun nom de famille",
        "billing.PaymentReminder": "une action de la régie ; le message dit le mot",
        "billing.PaymentReminderLine": "l'envoi ; chaque facture dit ses relances",
        "billing.RemindedInvoice.line": NESTED,
        "billing.RemindedInvoice.invoice": NESTED,
    }
    sections = {
        "factures": "vos factures, leurs lignes, vos paiements",
        "tarif": "les situations notées pour le calcul, la part que paie votre foyer, en combien de"
        " fois il paie",
    }
    # The régie's own mail is nobody's: it names no household, and its key ends with an agent's.
    mail_kinds = [*TO_HOUSEHOLDS, MailKind.PAYMENT_ALERT]

    def export(self, copy):
        invoices = (
            Invoice.objects.visible_to(copy.user)
            .for_list()
            .select_related("establishment", "school_year", "credits")
            .prefetch_related("payments", "lines__student", "attempts", "reminders")
        )
        return {"factures": [_invoice(invoice) for invoice in invoices], "tarif": _tariff(copy)}

    def mails(self, person):
        """By the guardian's key, which their keys end with."""
        return Mail.objects.filter(person.ends(), kind__in=TO_HOUSEHOLDS)

    def holdings(self, family):
        issued = family.invoices.filter(status=InvoiceStatus.ISSUED)
        payments = Payment.objects.filter(invoice__family=family)
        deposits = Deposit.objects.filter(payments__invoice__family=family).distinct()
        reminders = PaymentReminderLine.objects.filter(family=family)
        drafts = family.invoices.filter(status=InvoiceStatus.DRAFT)
        return [
            Holding(
                "Factures émises, avec le nom et l'adresse du payeur",
                issued.count(),
                Fate.KEPT,
                TEN_YEARS,
            ),
            Holding(
                "Demandes de paiement en ligne",
                PaymentAttempt.objects.filter(invoice__family=family).count(),
                Fate.KEPT,
                TEN_YEARS,
            ),
            Holding(
                "Paiements, et quittances au nom du payeur", payments.count(), Fate.KEPT, TEN_YEARS
            ),
            Holding("Quittances", deposits.count(), Fate.KEPT, TEN_YEARS),
            Holding("Relances", reminders.count(), Fate.KEPT, TEN_YEARS),
            Holding("Brouillons de factures", drafts.count(), Fate.ERASED),
            Holding(
                "Calculs préparatoires de factures", family.run_households.count(), Fate.ERASED
            ),
            Holding(
                "Choix du paiement en plusieurs fois",
                family.payment_plan_choices.count(),
                Fate.ERASED,
            ),
            Holding("Situations notées pour le tarif", situations_of(family).count(), Fate.ERASED),
        ]

    def erase(self, family):
        pks = list(family.invoices.values_list("pk", flat=True))
        drafts = family.invoices.select_for_update().filter(status=InvoiceStatus.DRAFT)
        Invoice.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
        family.run_households.all().delete()
        family.payment_plan_choices.all().delete()
        forget_in_admin_log(Invoice, pks)
        situations = situations_of(family)
        forget_in_admin_log(Situation, list(situations.values_list("pk", flat=True)))
        situations.delete()


def situations_of(family):
    """The household's, and those of the students for whom nobody else answers."""
    return Situation.objects.filter(Q(family=family) | Q(student__in=students_only_of(family)))


def _tariff(copy):
    situations = Situation.objects.visible_to(copy.user).select_related("student", "school_year")
    shares = PayerShare.objects.filter(custody__family=copy.family)
    choices = PaymentPlanChoice.objects.visible_to(copy.user)
    choices = choices.select_related("plan__establishment", "plan__school_year")
    return {
        "situations": [record(situation, EXPORTED[Situation]) for situation in situations],
        "parts": [
            {"élève": str(share.custody.student), **record(share, EXPORTED[PayerShare])}
            for share in shares.select_related("custody__student")
        ],
        "paiement en plusieurs fois": [
            record(choice, EXPORTED[PaymentPlanChoice]) for choice in choices
        ],
    }


def _invoice(invoice):
    return {
        **record(invoice, EXPORTED[Invoice]),
        "total (€)": str(invoice.total),
        "payé (€)": str(invoice.paid),
        "lignes": [record(line, EXPORTED[InvoiceLine]) for line in invoice.lines.all()],
        "échéances": [record(row, EXPORTED[Instalment]) for row in invoice.instalments.all()],
        "relances": [record(row, EXPORTED[RemindedInvoice]) for row in invoice.reminders.all()],
        "paiements": [record(payment, EXPORTED[Payment]) for payment in invoice.payments.all()],
        "paiements en ligne": [
            record(attempt, EXPORTED[PaymentAttempt]) for attempt in invoice.attempts.all()
        ],
    }
