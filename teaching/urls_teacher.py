from django.urls import path

from teaching.classes import views
from teaching.timetable import teacher_views as timetable

app_name = "teacher"
urlpatterns = [
    path("", views.index, name="index"),
    path("creneaux/<int:pk>/", views.slot, name="slot"),
    path("cours/<int:pk>/", views.course, name="course"),
    path("emploi-du-temps/", timetable.week, name="week"),
    path("emploi-du-temps/agenda/", timetable.feed, name="feed"),
    path("emploi-du-temps/agenda/creer/", timetable.make_feed, name="make_feed"),
    path("emploi-du-temps/agenda/supprimer/", timetable.revoke_feed, name="revoke_feed"),
    path("seances/<str:key>/changer/", timetable.change_lesson, name="change_lesson"),
]
