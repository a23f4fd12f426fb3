from django.urls import path

from documents import views

app_name = "documents"
urlpatterns = [
    path("documents/exemples/<int:pk>/", views.example, name="example"),
    path("documents/<uuid:pk>/", views.download, name="download"),
    path("eleves/<int:pk>/documents/", views.supplied, name="supplied"),
]
