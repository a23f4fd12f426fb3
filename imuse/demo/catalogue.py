"""What the demo conservatoire teaches: the same each year."""

from typing import NamedTuple

from students.enums import Art, Cycle, Scheduling, Weekday

FAMILY, ADMINISTRATION = Scheduling.FAMILY, Scheduling.ADMINISTRATION
TEACHER, SCHOOL = Scheduling.TEACHER, Scheduling.SCHOOL
MON, TUE, WED = Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY
THU, FRI, SAT = Weekday.THURSDAY, Weekday.FRIDAY, Weekday.SATURDAY

ADULT = 18  # years

DISCIPLINES = {
    "Chant choral": Art.MUSIC, "Clarinette": Art.MUSIC, "Danse classique": Art.DANCE,
    "Danse contemporaine": Art.DANCE, "Danse jazz": Art.DANCE, "Éveil": Art.MUSIC,
    "Éveil à la danse": Art.DANCE, "Flûte traversière": Art.MUSIC, "Formation musicale": Art.MUSIC,
    "Guitare": Art.MUSIC, "Orchestre": Art.MUSIC, "Piano": Art.MUSIC, "Théâtre": Art.THEATRE,
    "Trompette": Art.MUSIC, "Violon": Art.MUSIC, "Violoncelle": Art.MUSIC,
}  # fmt: skip

TEACHERS = [
    ("Cécile", "Vasseur"), ("Nicolas", "Delattre"), ("Hélène", "Carpentier"), ("Bastien", "Moreau"),
    ("Grace", "Okafor"), ("Maja", "Lindqvist"), ("Étienne", "Roussel"), ("Ana", "Ferreira"),
    ("Paul", "Guérin"), ("Sandrine", "Petit"), ("Elena", "Marchetti"), ("Yann", "Benoît"),
]  # fmt: skip


class Lesson(NamedTuple):
    """A slot; hours as « 17:30 »; ages and years of the cycle from and to, None: no limit."""

    group: str
    weekday: Weekday
    starts_at: str
    ends_at: str
    room: str
    teacher: str
    places: int
    ages: tuple = (None, None)
    cycle_years: tuple = (None, None)


class Taught(NamedTuple):
    """A course; `following` is the name of next year's, empty where a jury decides."""

    name: str
    discipline: str
    cycle: Cycle
    cycle_year: int | None
    scheduling: Scheduling
    following: str
    teacher: str = ""
    lessons: tuple[Lesson, ...] = ()
    ages: tuple = (None, None)


def _individual(name, teacher, discipline=""):
    return Taught(name, discipline or name, Cycle.FIRST, None, TEACHER, name, teacher)


CONSERVATOIRE = [
    Taught(
        "Éveil musical", "Éveil", Cycle.AWAKENING, None, FAMILY, "Initiation musicale", "",
        (Lesson("A", WED, "09:30", "10:15", "Salle Satie", "Carpentier", 8),
         Lesson("B", SAT, "10:00", "10:45", "Salle Satie", "Carpentier", 8)),
        ages=(4, 6),
    ),
    Taught(
        "Initiation musicale", "Éveil", Cycle.INITIATION, None, FAMILY, "Formation musicale C1-1",
        "",
        (Lesson("A", WED, "10:30", "11:30", "Salle Satie", "Carpentier", 8),
         Lesson("B", SAT, "11:00", "12:00", "Salle Satie", "Carpentier", 8)),
        ages=(5, 8),
    ),
    Taught(
        "Formation musicale C1-1", "Formation musicale", Cycle.FIRST, 1, FAMILY,
        "Formation musicale C1-2", "",
        (Lesson("A", TUE, "17:15", "18:15", "Salle Ravel", "Carpentier", 10),
         Lesson("B", WED, "14:00", "15:00", "Salle Ravel", "Carpentier", 10),
         Lesson("C", SAT, "09:00", "10:00", "Salle Ravel", "Carpentier", 10)),
    ),
    Taught(
        "Formation musicale C1-2", "Formation musicale", Cycle.FIRST, 2, FAMILY,
        "Formation musicale C1-3", "",
        (Lesson("A", MON, "17:15", "18:15", "Salle Fauré", "Vasseur", 10),
         Lesson("B", WED, "10:00", "11:00", "Salle Fauré", "Vasseur", 10),
         Lesson("C", THU, "17:15", "18:15", "Salle Fauré", "Vasseur", 10)),
    ),
    Taught(
        "Formation musicale C1-3", "Formation musicale", Cycle.FIRST, 3, FAMILY,
        "Formation musicale C1-4", "",
        (Lesson("A", MON, "18:30", "19:30", "Salle Fauré", "Vasseur", 10),
         Lesson("B", WED, "11:00", "12:00", "Salle Fauré", "Vasseur", 10),
         Lesson("C", WED, "14:00", "15:00", "Salle Fauré", "Vasseur", 10),
         Lesson("D", THU, "18:30", "19:30", "Salle Fauré", "Vasseur", 10),
         Lesson("E", TUE, "20:00", "21:00", "Salle Fauré", "Vasseur", 10, ages=(ADULT, None))),
    ),
    Taught(
        "Formation musicale C1-4", "Formation musicale", Cycle.FIRST, 4, FAMILY, "", "",
        (Lesson("A", TUE, "17:30", "18:45", "Salle Chausson", "Delattre", 10),
         Lesson("B", WED, "15:15", "16:30", "Salle Chausson", "Delattre", 10)),
    ),
    Taught(
        "Formation musicale C2-1", "Formation musicale", Cycle.SECOND, 1, FAMILY,
        "Formation musicale C2-2", "",
        (Lesson("A", WED, "16:45", "18:15", "Salle Chausson", "Delattre", 12),
         Lesson("B", FRI, "17:30", "19:00", "Salle Chausson", "Delattre", 12)),
    ),
    Taught(
        "Formation musicale C2-2", "Formation musicale", Cycle.SECOND, 2, FAMILY, "", "",
        (Lesson("", FRI, "19:00", "20:30", "Salle Chausson", "Delattre", 12),),
    ),
    Taught("Formation musicale CHAM", "Formation musicale", Cycle.SECOND, None, SCHOOL,
           "Formation musicale CHAM", "Delattre"),
    Taught("Chœur CHAM", "Chant choral", Cycle.SECOND, None, SCHOOL, "Chœur CHAM", "Petit"),
    Taught(
        "Chorale d'enfants", "Chant choral", Cycle.FIRST, None, ADMINISTRATION,
        "Chorale d'enfants", "",
        (Lesson("A", WED, "13:30", "14:30", "Auditorium", "Petit", 18, ages=(7, 9)),
         Lesson("B", FRI, "17:30", "18:30", "Auditorium", "Petit", 18, ages=(10, None))),
    ),
    Taught(
        "Orchestre à cordes", "Orchestre", Cycle.FIRST, None, ADMINISTRATION,
        "Orchestre à cordes", "",
        (Lesson("", FRI, "18:00", "19:30", "Auditorium", "Lindqvist", 30),),
    ),
    Taught(
        "Orchestre d'harmonie junior", "Orchestre", Cycle.FIRST, None, ADMINISTRATION,
        "Orchestre d'harmonie junior", "",
        (Lesson("", SAT, "14:00", "15:30", "Auditorium", "Roussel", 30),),
    ),
    Taught(
        "Éveil à la danse", "Éveil à la danse", Cycle.AWAKENING, None, ADMINISTRATION,
        "Éveil à la danse", "",
        (Lesson("", WED, "13:30", "14:15", "Studio Pina", "Marchetti", 12),),
    ),
    Taught(
        "Danse classique C1", "Danse classique", Cycle.FIRST, None, ADMINISTRATION,
        "Danse classique C1", "",
        (Lesson("A", WED, "14:30", "15:45", "Studio Pina", "Marchetti", 14, cycle_years=(1, 2)),
         Lesson("B", SAT, "10:00", "11:15", "Studio Pina", "Marchetti", 14, cycle_years=(3, None))),
    ),
    Taught("Danse contemporaine C1", "Danse contemporaine", Cycle.FIRST, None, TEACHER,
           "Danse contemporaine C1", "Marchetti"),
    Taught(
        "Atelier théâtre", "Théâtre", Cycle.FIRST, None, FAMILY, "Atelier théâtre", "",
        (Lesson("A", WED, "16:00", "17:30", "Petit théâtre", "Benoît", 10),
         Lesson("B", SAT, "14:00", "15:30", "Petit théâtre", "Benoît", 10)),
    ),
    Taught(
        "Chœur d'adultes", "Chant choral", Cycle.OUTSIDE, None, FAMILY, "Chœur d'adultes", "",
        (Lesson("", TUE, "19:30", "21:30", "Auditorium", "Petit", 40),),
        ages=(ADULT, None),
    ),
    _individual("Piano", "Moreau"),
    _individual("Violon", "Okafor"),
    _individual("Violoncelle", "Lindqvist"),
    _individual("Guitare", "Delattre"),
    _individual("Flûte traversière", "Ferreira"),
    _individual("Clarinette", "Guérin"),
    _individual("Trompette", "Roussel"),
]  # fmt: skip

DANCE_SCHOOL = [
    Taught(
        "Danse jazz", "Danse jazz", Cycle.FIRST, None, FAMILY, "Danse jazz", "",
        (Lesson("", MON, "17:30", "18:45", "Grand studio", "Marchetti", 16),),
    ),
]  # fmt: skip

COURSES = {taught.name: taught for taught in [*CONSERVATOIRE, *DANCE_SCHOOL]}

# The road through « formation musicale », a year at each step.
PATH = ["Éveil musical", "Initiation musicale",
        *(f"Formation musicale C1-{year}" for year in (1, 2, 3, 4)),
        *(f"Formation musicale C2-{year}" for year in (1, 2))]  # fmt: skip

# Who plays what, and the collective practice that goes with it from the second year on.
ENSEMBLES = {
    "Piano": "Chorale d'enfants", "Guitare": "Chorale d'enfants", "Violon": "Orchestre à cordes",
    "Violoncelle": "Orchestre à cordes", "Flûte traversière": "Orchestre d'harmonie junior",
    "Clarinette": "Orchestre d'harmonie junior", "Trompette": "Orchestre d'harmonie junior",
}  # fmt: skip

# How many invented students begin with which course, and their age as the school year begins.
# The people of the fixed accounts and the adults come on top.
COHORTS = [
    ("Danse jazz", 3, 9), ("Éveil musical", 5, 5), ("Initiation musicale", 6, 6),
    ("Formation musicale C1-1", 9, 7), ("Formation musicale C1-2", 13, 8),
    ("Formation musicale C1-3", 7, 9), ("Formation musicale C1-4", 6, 10),
    ("Formation musicale C2-1", 6, 11), ("Formation musicale C2-2", 4, 12),
    ("Formation musicale CHAM", 6, 12), ("Éveil à la danse", 1, 5), ("Danse classique C1", 2, 9),
    ("Danse contemporaine C1", 1, 11), ("Atelier théâtre", 4, 13),
]  # fmt: skip
# Nobody has re-enrolled these: they come from elsewhere, and are seated for the coming year.
NEWCOMERS = [("Formation musicale C1-3", 5, 8), ("Atelier théâtre", 5, 12)]

REPERTOIRE = {
    "Piano": [("Robert Schumann", "Le Gai Laboureur, op. 68 n° 10"),
              ("Johann Sebastian Bach", "Prélude en do mineur, BWV 999"),
              ("Christian Petzold", "Menuet en sol majeur"),
              ("Mel Bonis", "La toute petite s'endort")],
    "Violon": [("Antonio Vivaldi", "Concerto en la mineur, RV 356 – Allegro"),
               ("Oskar Rieding", "Concertino en si mineur, op. 35")],
    "Violoncelle": [("Camille Saint-Saëns", "Le Cygne"),
                    ("Benedetto Marcello", "Sonate en mi mineur – Adagio")],
    "Guitare": [("Francisco Tárrega", "Lágrima"), ("Matteo Carcassi", "Étude, op. 60 n° 3")],
    "Flûte traversière": [("Gabriel Fauré", "Sicilienne, op. 78"),
                          ("Cécile Chaminade", "Sérénade aux étoiles, op. 142")],
    "Clarinette": [("Louise Farrenc", "Trio en mi bémol majeur, op. 44 – Adagio"),
                   ("Carl Maria von Weber", "Concertino, op. 26 – Thème")],
    "Trompette": [("Joseph Haydn", "Concerto en mi bémol majeur – Andante"),
                  ("Jeremiah Clarke", "Prince of Denmark's March")],
    "Chœur CHAM": [("Lili Boulanger", "Hymne au soleil"), ("Gabriel Fauré", "Ave verum, op. 65")],
}  # fmt: skip
OCCASIONS = ["Audition de classe", "Concert de Noël", "Examen de fin de cycle", ""]

# In the coming year these slots end up full, or with a single place left; everybody wants them.
FULL = [("Formation musicale C1-3", "B"), ("Atelier théâtre", "A"), ("Atelier théâtre", "B")]
LAST_PLACE = [("Formation musicale C1-3", "C")]
CLOSED = [("Formation musicale C1-1", "C")]  # its teacher may leave: no more is promised
