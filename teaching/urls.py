"""What families read of the year, and what they tell."""

from django.urls import path

from teaching.absences import views as absences
from teaching.announcements import views as announcements
from teaching.concerts import views as concerts
from teaching.evaluations import views as evaluations
from teaching.timetable import views as timetable

app_name = "teaching"
urlpatterns = [
    path("eleves/<int:pk>/evaluations/", evaluations.evaluations, name="evaluations"),
    path("eleves/<int:pk>/evaluations/<int:period>/", evaluations.bulletin, name="bulletin"),
    path(
        "eleves/<int:pk>/evaluations/<int:period>/bulletin.pdf",
        evaluations.bulletin_pdf,
        name="bulletin_pdf",
    ),
    path("eleves/<int:pk>/auditions/", concerts.concerts, name="concerts"),
    path("eleves/<int:pk>/auditions/<int:concert>/", concerts.concert, name="concert"),
    path("emploi-du-temps/", timetable.week, name="week"),
    path("emploi-du-temps/agenda/", timetable.feed, name="feed"),
    path("emploi-du-temps/agenda/creer/", timetable.make_feed, name="make_feed"),
    path("emploi-du-temps/agenda/supprimer/", timetable.revoke_feed, name="revoke_feed"),
    path("eleves/<int:pk>/emploi-du-temps/", timetable.student_week, name="student_week"),
    path("agenda/<str:token>.ics", timetable.calendar, name="calendar"),
    path("messages/", announcements.announcements, name="announcements"),
    path("messages/<int:pk>/", announcements.announcement, name="announcement"),
    path("messages/<int:pk>/lu/", announcements.read_announcement, name="read_announcement"),
    path(
        "messages/pieces/<uuid:pk>/",
        announcements.announcement_file,
        name="announcement_file",
    ),
    path("messages/preferences/", announcements.message_preferences, name="message_preferences"),
    path("messages/arreter/<str:token>/", announcements.unsubscribe, name="unsubscribe"),
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
