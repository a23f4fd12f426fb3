"""What becomes of what is due by a household that turns out to be another's double."""

from django.db.models import Exists, OuterRef

from billing.models import (
    Invoice,
    PaymentReminderLine,
    RemindedInvoice,
    RunHousehold,
    Situation,
)
from families.absorbing import Follower, Line


class Invoices(Follower):
    """They follow: the household sees and pays them. An issued one keeps the name that it bears."""

    relations = ["billing.Invoice.family", "billing.RunHousehold.family"]

    def lines(self, kept, absorbed):
        return [
            Line(
                f"Facture {invoice.reference}\u00a0: rejoint le foyer, au nom de"
                f" {invoice.payer_name} comme elle a été émise."
                if invoice.is_issued
                else f"Facture en préparation ({invoice.get_kind_display()})\u00a0: rejoint le"
                " foyer."
            )
            for invoice in absorbed.invoices.order_by("pk")
        ]

    def absorb(self, kept, absorbed):
        # A run has one line, and one invoice, for a household: the double's leave it. The invoices
        # first, as whoever issues one (billing.services).
        # By key, as whoever carries over from one to another.
        list(absorbed.invoices.select_for_update().order_by("pk").values_list("pk"))
        runs = list(kept.run_households.values_list("run", flat=True))
        Invoice.objects.filter(family=absorbed, run__in=runs).update(run=None)
        Invoice.objects.filter(family=absorbed).update(family=kept)
        absorbed.run_households.filter(run__in=runs).delete()
        RunHousehold.objects.filter(family=absorbed).update(family=kept)


class Situations(Follower):
    """They follow, but those that the household has already for the year."""

    relations = ["billing.Situation.family"]

    def lines(self, kept, absorbed):
        known = _noted(kept)
        lines = []
        for situation in absorbed.situations.select_related("school_year"):
            words = f"Situation {situation.get_code_display()} ({situation.school_year})\u00a0: "
            twice = (situation.school_year_id, situation.code) in known
            words += "les deux foyers l'ont, une seule reste." if twice else "rejoint le foyer."
            lines.append(Line(words))
        return lines

    def absorb(self, kept, absorbed):
        known = _noted(kept)
        for situation in absorbed.situations.all():
            if (situation.school_year_id, situation.code) in known:
                situation.delete()
            else:
                Situation.objects.filter(pk=situation.pk).update(family=kept)


def _noted(family):
    return set(family.situations.values_list("school_year", "code"))


class PaymentPlanChoices(Follower):
    """They follow, but for a year of which the household has chosen already."""

    relations = ["billing.PaymentPlanChoice.family"]

    def lines(self, kept, absorbed):
        known = set(kept.payment_plan_choices.values_list("plan", flat=True))
        lines = []
        for choice in absorbed.payment_plan_choices.select_related(
            "plan__establishment", "plan__school_year"
        ):
            fate = "le foyer a déjà choisi." if choice.plan_id in known else "rejoint le foyer."
            words = f"{choice.plan}, payer en {choice.get_parts_display()}\u00a0: {fate}"
            lines.append(Line(words))
        return lines

    def absorb(self, kept, absorbed):
        known = list(kept.payment_plan_choices.values_list("plan", flat=True))
        absorbed.payment_plan_choices.filter(plan__in=known).delete()
        absorbed.payment_plan_choices.update(family=kept)


class Reminders(Follower):
    """They follow. Of two on one day, or two lines of one reminder, the kept household's stays, and
    takes over what the other asked for."""

    relations = ["billing.PaymentReminderLine.family"]

    def absorb(self, kept, absorbed):
        theirs = PaymentReminderLine.objects.filter(family=kept)
        same = theirs.filter(day=OuterRef("day")), theirs.filter(reminder=OuterRef("reminder"))
        twice = absorbed.payment_reminder_lines.filter(Exists(same[0]) | Exists(same[1]))
        for line in twice.order_by("pk"):
            stays = theirs.filter(day=line.day).exclude(day=None).first()
            stays = stays or theirs.get(reminder=line.reminder)
            RemindedInvoice.objects.filter(line=line).update(line=stays)
            line.delete()
        PaymentReminderLine.objects.filter(family=absorbed).update(family=kept)
