from django.urls import path

from teaching.classes import views as classes
from teaching.evaluations import teacher_views as evaluations
from teaching.timetable import teacher_views as timetable

app_name = "teacher"
urlpatterns = [
    path("", classes.index, name="index"),
    path("creneaux/<int:pk>/", classes.slot, name="slot"),
    path("cours/<int:pk>/", classes.course, name="course"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path(
        "evaluations/<int:period>/creneaux/<int:pk>/",
        evaluations.evaluation_slot,
        name="evaluation_slot",
    ),
    path(
        "evaluations/<int:period>/cours/<int:pk>/",
        evaluations.evaluation_course,
        name="evaluation_course",
    ),
    path("evaluations/<int:period>/eleves/<int:pk>/", evaluations.evaluation, name="evaluation"),
    path("emploi-du-temps/", timetable.week, name="week"),
    path("emploi-du-temps/agenda/", timetable.feed, name="feed"),
    path("emploi-du-temps/agenda/creer/", timetable.make_feed, name="make_feed"),
    path("emploi-du-temps/agenda/supprimer/", timetable.revoke_feed, name="revoke_feed"),
    path("seances/<str:key>/changer/", timetable.change_lesson, name="change_lesson"),
]
