"""Every address of the extranet; tests/test_urls.py holds the list of who may open which."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from imuse import views

extranet = (
    [
        path("", views.landing, name="landing"),
        path("entrer/", views.enter, name="enter"),
        path("accueil/", views.home, name="home"),
        path("accessibilite/", views.accessibility, name="accessibility"),
    ],
    "imuse",
)

urlpatterns = [
    path("", login_not_required(RedirectView.as_view(pattern_name="imuse:landing"))),
    path("extranet/", include(extranet)),
    path("extranet/", include("accounts.urls")),
    path("extranet/", include("families.urls")),
    path("extranet/", include("students.urls")),
    path("extranet/enseignant/", include("teaching.urls_teacher")),
    path("extranet/", include("documents.urls")),
    path("extranet/", include("billing.urls")),
    path("extranet/", include("teaching.urls")),
    path("extranet/", include("reenrolment.urls")),
    path("admin/", admin.site.urls),
]
