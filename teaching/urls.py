"""What families read of the year, and what they tell."""

from django.urls import path

from teaching.absences import views as absences

app_name = "teaching"
urlpatterns = [
    path("eleves/<int:pk>/absences/", absences.absences, name="absences"),
    path("eleves/<int:pk>/absences/annoncer/", absences.announce_absence, name="announce_absence"),
    path(
        "eleves/<int:pk>/absences/annonces/<int:notice>/retirer/",
        absences.withdraw_notice,
        name="withdraw_notice",
    ),
    path(
        "eleves/<int:pk>/absences/<int:absence>/justifier/",
        absences.justify_absence,
        name="justify_absence",
    ),
]
