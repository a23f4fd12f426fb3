"""The instruments that a household rents: their contracts, to read and to print."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from accounts.attachments import attached_pdf
from accounts.models import User
from accounts.prepared import prepared
from billing.instruments.contracts import contract_of, print_contract
from billing.models import Rental


@require_safe
def rental(request, pk):
    """The contract, and where the rental stands."""
    rental = _rental(request, pk)
    return render(
        request, "billing/rental.html", {"rental": rental, "contract": contract_of(rental)}
    )


@require_safe
def rental_contract(request, pk):
    """The same in PDF."""
    rental = _rental(request, pk)
    try:
        content = print_contract(contract_of(rental))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("billing:rental", pk)
    return attached_pdf(content, f"contrat-{pk}.pdf")


@prepared
def live_rentals(user: int, establishment: int) -> QuerySet[Rental]:
    """Those that the household has reserved or under way, of this establishment."""
    rentals = Rental.objects.visible_to(User(pk=user)).live()
    return rentals.filter(instrument__establishment=establishment).for_list()


def _rental(request, pk):
    return get_object_or_404(Rental.objects.visible_to(request.user).for_contract(), pk=pk)
