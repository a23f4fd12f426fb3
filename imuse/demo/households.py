"""Families, their guardians and their students: the fixed cast, then as many invented ones."""

import datetime as dt
import random
from dataclasses import dataclass, field

from accounts.models import User
from families.models import Family, Guardian
from imuse.demo import people
from imuse.demo.accounts import Register, address
from imuse.demo.catalogue import ADULT, COHORTS, ENSEMBLES, NEWCOMERS, PATH
from imuse.demo.town import Town
from students.models import Custody, Student


@dataclass
class Pupil:
    """A student and what is decided for him: this year's courses, or what he joins next year."""

    student: Student
    courses: list[str]
    joins: str = ""


@dataclass
class Household:
    family: Family
    rank: int = 1  # 2: the second household of a child in alternating custody
    guardians: list[Guardian] = field(default_factory=list)
    pupils: list[Pupil] = field(default_factory=list)

    @property
    def user(self) -> User | None:
        """The first guardian's account, if the household has one."""
        return self.guardians[0].user


class Village:
    """Builds the households in memory; `save` makes them all at once."""

    def __init__(self, town: Town, register: Register, rng: random.Random):
        self.town, self.register, self.rng = town, register, rng
        self.households = []
        self.custodies = []
        self.phones = iter(rng.sample(range(10_000), 400))
        self.year = town.current.starts_on.year

    def settle(self, delattre: User) -> None:
        """Invents everybody; `delattre` is a teacher who is a parent too."""
        self._settle_cast()
        self._settle_adults()
        self._settle_families(delattre)

    def save(self) -> None:
        Family.objects.bulk_create(household.family for household in self.households)
        Guardian.objects.bulk_create(g for home in self.households for g in home.guardians)
        pupils = {id(p.student): p.student for home in self.households for p in home.pupils}
        Student.objects.bulk_create(pupils.values())
        Custody.objects.bulk_create(self.custodies)

    def of(self, username: str) -> Household:
        return next(h for h in self.households if h.user and h.user.username == username)

    # The fixed accounts

    def _settle_cast(self):
        martin = self._home("Martin", "12 rue des Tilleuls", "Tourcoing")
        self._guardian(martin, "Claire", "Martin", username="martin.c")
        self._guardian(martin, "Paul", "Martin", email=address("Paul", "Martin", "example.com"))
        louise = ["Formation musicale C1-2", "Piano", "Chorale d'enfants"]
        self._pupil(martin, "Louise", "Martin", 8, louise)
        hugo = ["Formation musicale C1-1", "Danse classique C1"]
        self._pupil(martin, "Hugo", "Martin", 7, hugo)

        nadia = self._home("Benali", "3 allée du Canal", "Tourcoing")
        self._guardian(nadia, "Nadia", "Benali", username="benali.n")
        samir = self._home("Benali", "27 rue Sainte-Barbe", "Roubaix")
        self._guardian(samir, "Samir", "Benali", username="benali.s")
        ines = ["Formation musicale C1-3", "Violon", "Orchestre à cordes", "Atelier théâtre"]
        samir.pupils.append(self._pupil(nadia, "Inès", "Benali", 9, ines))
        self.custodies.append(Custody(student=samir.pupils[0].student, family=samir.family, rank=2))
        samir.rank = 2

        dubois = self._home("Dubois", "140 boulevard de l'Égalité", "Lille")
        self._guardian(dubois, "Philippe", "Dubois", username="dubois.p")
        theo = ["Formation musicale C1-4", "Trompette", "Orchestre d'harmonie junior"]
        self._pupil(dubois, "Théo", "Dubois", 10, theo)

    def _settle_adults(self):
        """Adult students answer for themselves."""
        for first_name, last_name in people.ADULT_NAMES:
            home = self._home(last_name)
            guardian = self._guardian(home, first_name, last_name, account=True)
            pupil = self._pupil(home, first_name, last_name, 34, ["Chœur d'adultes"])
            pupil.student.email, pupil.student.phone = guardian.email, guardian.mobile_phone

    # The others

    def _settle_families(self, delattre):
        """One child or two each. The other site's dancers come first, without an account."""
        dancers, *others = [[(name, age, "")] * count for name, count, age in COHORTS]
        others += [[(name, age, name)] * count for name, count, age in NEWCOMERS]
        waiting = [child for cohort in others for child in cohort]
        self.rng.shuffle(waiting)
        first_names = self._first_names()
        homes = len(people.LAST_NAMES) - len(dancers)
        alone = len(dancers) + 2 * homes - len(waiting)
        for index, last_name in enumerate(people.LAST_NAMES):
            dances = index < len(dancers)
            home = self._household(
                last_name, index, delattre, account=not dances and index % 6 != 0
            )
            waiting += dancers[index : index + 1]
            for _ in range(1 if index < alone else 2):
                course, age, joins = waiting.pop()
                courses = [] if joins else self._programme(course)
                self._pupil(home, next(first_names), home.family.name, age, courses, joins)

    def _household(self, last_name, index, delattre, *, account):
        if index == 20:  # one person may be family and teacher
            home = self._home("Delattre")
            self._guardian(home, "Nicolas", "Delattre", user=delattre)
            return home
        home = self._home(last_name)
        first, second = self.rng.sample(people.PARENTS, 2)
        self._guardian(home, first, last_name, account=account)
        if index % 2:
            other = self.rng.choice([last_name, last_name, self.rng.choice(people.LAST_NAMES)])
            reachable = index % 4 == 1
            email = address(second, other, "example.com") if reachable else ""
            self._guardian(home, second, other, account=index % 8 == 1, email=email)
        return home

    def _home(self, name, street="", commune=""):
        rng = self.rng
        weights = [40, 15, *(4 for _ in people.COMMUNES[2:])]
        commune = commune or rng.choices(people.COMMUNES, weights)[0][2]
        family = Family(
            name=name,
            address=street or f"{rng.randint(1, 190)} {rng.choice(people.STREETS)}",
            address_more="" if street else rng.choice(people.EXTRAS),
            commune=self.town.communes[commune],
        )
        self.households.append(Household(family))
        return self.households[-1]

    def _guardian(
        self, home, first_name, last_name, *, username="", account=False, user=None, email=""
    ):
        if username or account:
            user = self.register.add(first_name, last_name, username=username, email=email)
        guardian = Guardian(
            family=home.family,
            user=user,
            first_name=first_name,
            last_name=last_name,
            email=user.email if user else email,
            mobile_phone=people.mobile_phone(next(self.phones)),
            home_phone=people.home_phone(next(self.phones)) if self.rng.random() < 0.3 else "",
        )
        home.guardians.append(guardian)
        return guardian

    def _pupil(self, home, first_name, last_name, age, courses, joins=""):
        born = dt.date(self.year - age - 1, 9, 1) + dt.timedelta(days=self.rng.randint(1, 364))
        student = Student(
            first_name=first_name,
            last_name=last_name,
            birth_date=born,
            school=self._school(age, courses),
            school_class=people.CLASSES.get(age, ""),
            phone=people.mobile_phone(next(self.phones)) if 14 < age < ADULT else "",
        )
        home.pupils.append(Pupil(student, courses, joins))
        self.custodies.append(Custody(student=student, family=home.family, rank=1))
        return home.pupils[-1]

    def _school(self, age, courses):
        if "Formation musicale CHAM" in courses:
            return people.MIDDLE_SCHOOLS[0]
        if age >= ADULT:
            return ""
        schools = [people.PRIMARY_SCHOOLS, people.MIDDLE_SCHOOLS, people.HIGH_SCHOOLS]
        return self.rng.choice(schools[(age > 10) + (age > 14)])

    def _programme(self, course):
        """The courses that go with the one that decides of the student's year."""
        instrument = self.rng.choice(list(ENSEMBLES))
        if course == "Formation musicale CHAM":
            return [course, "Chœur CHAM", instrument]
        if course not in PATH[2:]:
            return [course]
        if course == PATH[2]:
            return [course, instrument]
        return [course, instrument, ENSEMBLES[instrument]]

    def _first_names(self):
        """Each once, in any order, before one comes again."""
        while True:
            yield from self.rng.sample(people.CHILDREN, len(people.CHILDREN))
