from django.urls import path
from django.views.generic import RedirectView

from billing import views

ATTESTATION = "facturation/attestations/<slug:kind>/<int:year>/"

app_name = "billing"
urlpatterns = [
    path("facturation/", RedirectView.as_view(pattern_name="billing:cotisations"), name="index"),
    path("facturation/cotisations/", views.cotisations, name="cotisations"),
    path("facturation/locations/", views.locations, name="locations"),
    path("facturation/<int:pk>/", views.invoice, name="invoice"),
    path("facturation/paiements/", views.payments, name="payments"),
    path("facturation/paiements/<int:pk>/", views.receipt, name="receipt"),
    path("facturation/paiements/<int:pk>/pdf/", views.receipt_pdf, name="receipt_pdf"),
    path(ATTESTATION, views.attestation, name="attestation"),
    path(f"{ATTESTATION}pdf/", views.attestation_pdf, name="attestation_pdf"),
]
