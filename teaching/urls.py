"""What families read of the year, and what they tell."""

from django.urls import path

from teaching.evaluations import views as evaluations

app_name = "teaching"
urlpatterns = [
    path("eleves/<int:pk>/evaluations/", evaluations.evaluations, name="evaluations"),
    path("eleves/<int:pk>/evaluations/<int:period>/", evaluations.bulletin, name="bulletin"),
    path(
        "eleves/<int:pk>/evaluations/<int:period>/bulletin.pdf",
        evaluations.bulletin_pdf,
        name="bulletin_pdf",
    ),
]
