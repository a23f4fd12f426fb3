from django.urls import path

from teaching.classes import views
from teaching.home import views as home

app_name = "teacher"
urlpatterns = [
    path("", home.index, name="index"),
    path("classes/", views.classes, name="classes"),
    path("classes/<int:year>/", views.all_lists, name="all_lists"),
    path("classes/<int:year>/fichier/", views.all_files, name="all_files"),
    path("creneaux/<int:pk>/", views.slot, name="slot"),
    path("creneaux/<int:pk>/fichier/", views.slot_file, name="slot_file"),
    path("cours/<int:pk>/", views.course, name="course"),
    path("cours/<int:pk>/fichier/", views.course_file, name="course_file"),
    path("horaires/<int:pk>/", views.hour, name="hour"),
    path("horaires/<int:pk>/retirer/", views.end_hour, name="end_hour"),
    path("portraits/<uuid:pk>/", views.portrait, name="portrait"),
]
