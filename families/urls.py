from django.urls import path

from families import data_views, views

app_name = "families"
urlpatterns = [
    path("famille/", views.identity, name="identity"),
    path("famille/mes-donnees/", data_views.my_data, name="my_data"),
    path("famille/mes-donnees/copie/", data_views.ask_export, name="ask_export"),
    path("famille/mes-donnees/copie/<int:pk>/", data_views.download_export, name="download_export"),
    path("famille/mes-donnees/effacement/", data_views.ask_erasure, name="ask_erasure"),
]
