from django.urls import path

from teaching.classes import views

app_name = "teacher"
urlpatterns = [
    path("", views.index, name="index"),
    path("creneaux/<int:pk>/", views.slot, name="slot"),
    path("cours/<int:pk>/", views.course, name="course"),
]
