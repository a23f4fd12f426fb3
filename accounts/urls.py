from django.urls import path

from accounts import email_change_views, second_factor_views, session_views, views

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
    path("mot-de-passe/connexions/", session_views.connections, name="connections"),
    path(
        "mot-de-passe/connexions/fermer/",
        session_views.close_other_sessions,
        name="close_other_sessions",
    ),
    path("session/", session_views.session_state, name="session_state"),
    path("session/prolonger/", session_views.extend_session, name="extend_session"),
    path("saisie/", session_views.resume, name="resume"),
    path("saisie/abandonner/", session_views.abandon, name="abandon"),
    path("adresse-e-mail/", email_change_views.change_email, name="change_email"),
    path(
        "adresse-e-mail/renvoyer/",
        email_change_views.resend_email_change,
        name="resend_email_change",
    ),
    path(
        "adresse-e-mail/annuler/",
        email_change_views.cancel_email_change,
        name="cancel_email_change",
    ),
    path("adresse-e-mail/confirmer/", email_change_views.confirm_email, name="confirm_email"),
    path("adresse-e-mail/confirmee/", email_change_views.email_confirmed, name="email_confirmed"),
    path("mot-de-passe-perdu/", views.lost_password, name="lost_password"),
    path("mot-de-passe-perdu/envoye/", views.lost_password_done, name="lost_password_done"),
]
