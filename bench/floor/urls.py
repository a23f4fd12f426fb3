from django.urls import path

from bench.floor import views

urlpatterns = [
    path("page/", views.page, name="page"),
    path("lesson/<int:pk>/", views.page, name="lesson"),
    path("claim/<str:shape>/", views.claim, name="claim"),
]
