from django.urls import path
from django.views.generic import RedirectView

from billing import simulator_views, views

app_name = "billing"
urlpatterns = [
    path("facturation/", RedirectView.as_view(pattern_name="billing:cotisations"), name="index"),
    path("facturation/cotisations/", views.cotisations, name="cotisations"),
    path("facturation/locations/", views.locations, name="locations"),
    path("simulateur-de-tarif/", simulator_views.simulator, name="simulator"),
    path("facturation/<int:pk>/", views.invoice, name="invoice"),
]
