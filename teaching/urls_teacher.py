from django.urls import path

from teaching.classes import views
from teaching.register import views as register

app_name = "teacher"
urlpatterns = [
    path("", views.index, name="index"),
    path("creneaux/<int:pk>/", views.slot, name="slot"),
    path("cours/<int:pk>/", views.course, name="course"),
    path("appels/", register.registers, name="registers"),
    path("seances/<str:key>/appel/", register.register, name="register"),
]
