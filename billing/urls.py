from django.urls import path
from django.views.generic import RedirectView

from billing import plan_views, rental_views, simulator_views, views
from billing.payfip import views as payfip

ATTESTATION = "facturation/attestations/<slug:kind>/<int:year>/"

app_name = "billing"
urlpatterns = [
    path("facturation/", RedirectView.as_view(pattern_name="billing:cotisations"), name="index"),
    path("facturation/cotisations/", views.cotisations, name="cotisations"),
    path("facturation/locations/", views.locations, name="locations"),
    path("facturation/locations/<int:pk>/", rental_views.rental, name="rental"),
    path(
        "facturation/locations/<int:pk>/contrat.pdf",
        rental_views.rental_contract,
        name="rental_contract",
    ),
    path("simulateur-de-tarif/", simulator_views.simulator, name="simulator"),
    path("facturation/<int:pk>/", views.invoice, name="invoice"),
    path("facturation/<int:pk>/payer/", payfip.pay, name="pay"),
    path("facturation/paiement/<int:pk>/", payfip.payment, name="payment"),
    path("facturation/paiement/<int:pk>/partir/", payfip.leave, name="leave"),
    # Called from PayFiP: no session, no CSRF token.
    path("facturation/paiement/retour/", payfip.returned, name="returned"),
    path("facturation/paiement/notification/", payfip.notified, name="notified"),
    path(
        "facturation/paiement-en-plusieurs-fois/<int:pk>/",
        plan_views.payment_plan,
        name="payment_plan",
    ),
    path("facturation/paiements/", views.payments, name="payments"),
    path("facturation/paiements/<int:pk>/", views.receipt, name="receipt"),
    path("facturation/paiements/<int:pk>/pdf/", views.receipt_pdf, name="receipt_pdf"),
    path(ATTESTATION, views.attestation, name="attestation"),
    path(f"{ATTESTATION}pdf/", views.attestation_pdf, name="attestation_pdf"),
    path("facturation/<int:pk>/pdf/", views.invoice_pdf, name="invoice_pdf"),
]
