from django.urls import path

from teaching.announcements import teacher_views as announcements
from teaching.classes import views as classes
from teaching.concerts import teacher_views as concerts
from teaching.evaluations import teacher_views as evaluations
from teaching.home import views as home
from teaching.register import views as register
from teaching.repertoire import teacher_views as repertoire
from teaching.timetable import teacher_views as timetable

app_name = "teacher"
urlpatterns = [
    path("", home.index, name="index"),
    path("classes/", classes.classes, name="classes"),
    path("classes/<int:year>/", classes.all_lists, name="all_lists"),
    path("classes/<int:year>/fichier/", classes.all_files, name="all_files"),
    path("creneaux/<int:pk>/", classes.slot, name="slot"),
    path("creneaux/<int:pk>/fichier/", classes.slot_file, name="slot_file"),
    path("cours/<int:pk>/", classes.course, name="course"),
    path("cours/<int:pk>/fichier/", classes.course_file, name="course_file"),
    path("horaires/<int:pk>/", classes.hour, name="hour"),
    path("horaires/<int:pk>/retirer/", classes.end_hour, name="end_hour"),
    path("creneaux/<int:pk>/repertoire/", repertoire.repertoire_slot, name="repertoire_slot"),
    path("creneaux/<int:pk>/repertoire/inscrire/", repertoire.add_to_slot, name="add_to_slot"),
    path("cours/<int:pk>/repertoire/", repertoire.repertoire_course, name="repertoire_course"),
    path("cours/<int:pk>/repertoire/inscrire/", repertoire.add_to_course, name="add_to_course"),
    path("repertoire/<int:pk>/", repertoire.repertoire, name="repertoire"),
    path("repertoire/<int:pk>/inscrire/", repertoire.add_piece, name="add_piece"),
    path("repertoire/morceaux/<int:pk>/", repertoire.piece, name="piece"),
    path("repertoire/morceaux/<int:pk>/retirer/", repertoire.remove_piece, name="remove_piece"),
    path("repertoire/oeuvres/", repertoire.works, name="works"),
    path("portraits/<uuid:pk>/", classes.portrait, name="portrait"),
    path("auditions/", concerts.concerts, name="concerts"),
    path("auditions/<int:pk>/", concerts.concert, name="concert"),
    path("auditions/<int:pk>/programme.pdf", concerts.concert_pdf, name="concert_pdf"),
    path("auditions/<int:pk>/proposer/", concerts.propose_turn, name="propose_turn"),
    path("auditions/passages/<int:pk>/", concerts.turn, name="turn"),
    path("auditions/passages/<int:pk>/retirer/", concerts.withdraw_turn, name="withdraw_turn"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path(
        "evaluations/<int:period>/creneaux/<int:pk>/",
        evaluations.evaluation_slot,
        name="evaluation_slot",
    ),
    path(
        "evaluations/<int:period>/cours/<int:pk>/",
        evaluations.evaluation_course,
        name="evaluation_course",
    ),
    path("evaluations/<int:period>/eleves/<int:pk>/", evaluations.evaluation, name="evaluation"),
    path("emploi-du-temps/", timetable.week, name="week"),
    path("emploi-du-temps/agenda/", timetable.feed, name="feed"),
    path("emploi-du-temps/agenda/creer/", timetable.make_feed, name="make_feed"),
    path("emploi-du-temps/agenda/supprimer/", timetable.revoke_feed, name="revoke_feed"),
    path("seances/<str:key>/changer/", timetable.change_lesson, name="change_lesson"),
    path("messages/", announcements.announcements, name="announcements"),
    path("creneaux/<int:pk>/message/", announcements.write_to_slot, name="write_to_slot"),
    path("cours/<int:pk>/message/", announcements.write_to_course, name="write_to_course"),
    path("messages/<int:pk>/", announcements.announcement, name="announcement"),
    path(
        "messages/<int:pk>/modifier/",
        announcements.rewrite_announcement,
        name="rewrite_announcement",
    ),
    path("messages/<int:pk>/envoyer/", announcements.send_announcement, name="send_announcement"),
    path(
        "messages/<int:pk>/retirer/",
        announcements.withdraw_announcement,
        name="withdraw_announcement",
    ),
    path(
        "messages/<int:pk>/supprimer/",
        announcements.discard_announcement,
        name="discard_announcement",
    ),
    path(
        "messages/recus/<int:pk>/",
        announcements.received_announcement,
        name="received_announcement",
    ),
    path("messages/recus/<int:pk>/lu/", announcements.read_announcement, name="read_announcement"),
    path(
        "messages/pieces/<uuid:pk>/",
        announcements.announcement_file,
        name="announcement_file",
    ),
    path("appels/", register.registers, name="registers"),
    path("seances/<str:key>/appel/", register.register, name="register"),
]
