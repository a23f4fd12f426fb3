from django.urls import path

from teaching.classes import views as classes
from teaching.evaluations import teacher_views as evaluations

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
]
