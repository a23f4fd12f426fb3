"""A household chooses in how many parts it pays a year's fees."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing.models import PaymentPlan, PaymentPlanChoice
from families.models import Family


@transaction.atomic
def choose_parts(
    plan: PaymentPlan, family: Family, *, parts: int, actor: User
) -> PaymentPlanChoice:
    """Writes the household's choice, or changes it: of two at once, the last one stays.

    It holds for the invoices drafted from now on; one that is issued never changes. Raises
    ValidationError: `not_offered`, `too_late` after `choose_until`.
    """
    plan = PaymentPlan.objects.get(pk=plan.pk)  # unlocked: every household submits at once
    if timezone.localdate() > plan.choose_until:
        raise ValidationError(
            "Le délai pour choisir en combien de fois payer est passé.", code="too_late"
        )
    if parts not in plan.parts:
        raise ValidationError(
            f"Le paiement en {parts}\u00a0fois n'est plus proposé\u00a0: choisissez à nouveau.",
            code="not_offered",
        )
    choice = PaymentPlanChoice(
        plan=plan, family=family, parts=parts, chosen_by=actor, chosen_at=timezone.now()
    )
    choice.clean_fields()
    PaymentPlanChoice.objects.bulk_create(
        [choice],
        update_conflicts=True,
        unique_fields=["plan", "family"],
        update_fields=["parts", "chosen_by", "chosen_at"],
    )
    return PaymentPlanChoice.objects.get(plan=plan, family=family)
