from django.urls import path

from accounts import second_factor_views, views

app_name = "accounts"
urlpatterns = [
    path("connexion/", views.sign_in, name="sign_in"),
    path("deconnexion/", views.sign_out, name="sign_out"),
    path("site/", views.switch_site, name="switch_site"),
    path("mot-de-passe/", views.change_password, name="change_password"),
    path("mot-de-passe/choisir/", views.choose_password, name="choose_password"),
    path(
        "mot-de-passe/deux-etapes/",
        second_factor_views.second_factor,
        name="second_factor",
    ),
    path(
        "mot-de-passe/deux-etapes/commencer/",
        second_factor_views.start_second_factor,
        name="start_second_factor",
    ),
    path(
        "mot-de-passe/deux-etapes/application/",
        second_factor_views.enrol_second_factor,
        name="enrol_second_factor",
    ),
    path(
        "mot-de-passe/deux-etapes/codes-de-secours/",
        second_factor_views.renew_recovery_codes,
        name="renew_recovery_codes",
    ),
    path(
        "mot-de-passe/deux-etapes/retirer/",
        second_factor_views.remove_second_factor,
        name="remove_second_factor",
    ),
    path(
        "connexion/code/",
        second_factor_views.verify_second_factor,
        name="verify_second_factor",
    ),
    path("mot-de-passe-perdu/", views.lost_password, name="lost_password"),
    path("mot-de-passe-perdu/envoye/", views.lost_password_done, name="lost_password_done"),
]
