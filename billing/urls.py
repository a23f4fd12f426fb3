from django.urls import path
from django.views.generic import RedirectView

from billing import views

app_name = "billing"
urlpatterns = [
    path("facturation/", RedirectView.as_view(pattern_name="billing:cotisations"), name="index"),
    path("facturation/cotisations/", views.cotisations, name="cotisations"),
    path("facturation/locations/", views.locations, name="locations"),
    path("facturation/<int:pk>/", views.invoice, name="invoice"),
    path("facturation/<int:pk>/pdf/", views.invoice_pdf, name="invoice_pdf"),
]
