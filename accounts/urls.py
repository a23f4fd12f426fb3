from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("connexion/", views.sign_in, name="sign_in"),
    path("deconnexion/", views.sign_out, name="sign_out"),
    path("mot-de-passe/", views.change_password, name="change_password"),
    path("mot-de-passe/choisir/", views.choose_password, name="choose_password"),
    path("mot-de-passe-perdu/", views.lost_password, name="lost_password"),
    path("mot-de-passe-perdu/envoye/", views.lost_password_done, name="lost_password_done"),
]
