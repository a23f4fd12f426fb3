"""In how many parts each household of a run pays: its own choice, or else the run's `parts`."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from billing import plans
from billing.enums import InvoiceKind, InvoiceStatus
from billing.models import Invoice, InvoiceRun, PaymentPlan
from billing.schedule import months_later

ENDS = ["online_until", "counter_until"]


@dataclass(frozen=True)
class Choices:
    """What the households chose, by key; nothing of a year without a plan."""

    run: InvoiceRun
    plan: PaymentPlan | None
    parts: dict[int, int]

    def terms_of(self, family: int, total: Decimal) -> dict:
        """`parts` and the last days to pay of a draft of `total` euros.

        A household that pays in more parts than the run has until its own last part.
        """
        run = self.run
        terms = {"parts": run.parts, **{name: getattr(run, name) for name in ENDS}}
        if family not in self.parts:
            return terms
        terms["parts"] = plans.parts_for(self.plan, self.parts[family], total)
        last = months_later(run.due_on, terms["parts"] - 1)
        for name in ENDS:
            if terms[name] is not None:  # empty: the last part, once issued
                terms[name] = max(terms[name], last)
        return terms


def choices_of(run: InvoiceRun, families: Collection[int]) -> Choices:
    """Of these households. One query for a year without a plan, else two."""
    if run.kind != InvoiceKind.COTISATION:
        return Choices(run, None, {})
    return Choices(run, *plans.chosen_by(run.establishment, run.school_year, families))


def respect(run: InvoiceRun) -> None:
    """Gives back to its drafts what their households chose, after the run's dates have changed.

    Five updates at most.
    """
    drafts = Invoice.objects.filter(run=run, status=InvoiceStatus.DRAFT).with_amounts()
    totals = dict(drafts.values_list("family", "total"))
    choices = choices_of(run, list(totals))
    families_of = {}
    for family in choices.parts:
        terms = choices.terms_of(family, totals[family])
        families_of.setdefault(tuple(terms.items()), []).append(family)
    for terms, families in families_of.items():
        Invoice.objects.filter(run=run, status=InvoiceStatus.DRAFT, family__in=families).update(
            **dict(terms)
        )
