from django.urls import path

from students import views

app_name = "students"
urlpatterns = [
    path("eleves/", views.index, name="index"),
    path("eleves/choisir/", views.pick, name="pick"),
    path("eleves/<int:pk>/identite/", views.identity, name="identity"),
    path("eleves/<int:pk>/droit-image/", views.image_consent, name="image_consent"),
    path("eleves/<int:pk>/cours/", views.courses, name="courses"),
    path("eleves/<int:pk>/historique/", views.history, name="history"),
    path("eleves/<int:pk>/repertoire/", views.repertoire, name="repertoire"),
]
