from django.urls import path

from reenrolment import assisting_views, draw_views, views, waiting_views

app_name = "reenrolment"

urlpatterns = [
    path("eleves/<int:pk>/reinscription/", views.edit, name="edit"),
    path("eleves/<int:pk>/reinscription/places/", views.pick, name="pick"),
    path("eleves/<int:pk>/reinscription/verifier/", views.check, name="check"),
    path("eleves/<int:pk>/reinscription/valider/", views.submit, name="submit"),
    path("eleves/<int:pk>/reinscription/confirmation/", views.confirmation, name="confirmation"),
    path("eleves/<int:pk>/reinscription/completer/", views.complete, name="complete"),
    path("eleves/<int:pk>/reinscription/retirer/", views.withdraw, name="withdraw"),
    path("eleves/<int:pk>/reinscription/reprendre/", views.take_up, name="take_up"),
    path(
        "eleves/<int:pk>/reinscription/attente/<int:course_pk>/",
        waiting_views.waiting,
        name="waiting",
    ),
    path(
        "eleves/<int:pk>/reinscription/proposition/<int:entry_pk>/",
        waiting_views.offer,
        name="offer",
    ),
    path("eleves/<int:pk>/reinscription/tirage/", draw_views.draw, name="draw"),
    path(
        "eleves/<int:pk>/reinscription/tirage/numeros.txt",
        draw_views.draw_numbers,
        name="draw_numbers",
    ),
    path("eleves/<int:pk>/guichet/", assisting_views.assist, name="assist"),
    path("guichet/terminer/", assisting_views.stop_assisting, name="stop_assisting"),
]
