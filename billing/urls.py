from django.urls import path
from django.views.generic import RedirectView

from billing import rental_views, simulator_views, views

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
]
