"""Makes the demo, tells whether it is there, starts it over."""

import random
from contextlib import suppress

from django.conf import settings
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Establishment, Mail, User
from imuse.demo.accounts import ACCOUNTS, Register, give_roles, make_staff
from imuse.demo.announcements import announce
from imuse.demo.attestations import attest_last_spring
from imuse.demo.class_week import change_classes, miss_a_lesson
from imuse.demo.clock import Clock
from imuse.demo.concerts import play_in_public
from imuse.demo.dossiers import Desk
from imuse.demo.doubles import enter_twice
from imuse.demo.evaluations import evaluate
from imuse.demo.faces import show_faces
from imuse.demo.households import Village
from imuse.demo.instruments import Storeroom
from imuse.demo.invoices import Office
from imuse.demo.launch import launch, refuse_one
from imuse.demo.my_data import ask_for_a_copy, ask_to_be_forgotten
from imuse.demo.register import call_registers
from imuse.demo.reminders import remind
from imuse.demo.schooling import Schooling
from imuse.demo.tariffs import vote
from imuse.demo.teaching import Teaching, make_teachers
from imuse.demo.timetable import change_lessons
from imuse.demo.town import CAMPAIGN_CLOSES, make_town
from imuse.demo.waiting import WaitingRoom
from imuse.demo.year import close_for_the_holidays, fix_hours
from reenrolment.models import Campaign
from students.models import SchoolYear

SEED = 59200  # the same conservatoire each time, but for the dates


def is_loaded() -> bool:
    """Does the database hold the demo, whatever was done with it since?"""
    names = [account.username for account in ACCOUNTS]
    return User.objects.filter(username__in=names).count() == len(names)


def is_empty() -> bool:
    return not User.objects.exists() and not Establishment.objects.exists()


@transaction.atomic
def load() -> None:
    """Makes the demo, whole or not at all."""
    clock, rng = Clock(), random.Random(SEED)
    town = make_town(clock)
    register = Register(clock)
    make_staff(register)
    vasseur = register.add("Cécile", "Vasseur", username="vasseur.c")
    delattre = register.add("Nicolas", "Delattre", username="delattre.n")
    village = Village(town, register, rng)
    village.settle(delattre)
    register.save(town.conservatoire)
    village.save()
    give_roles([town.conservatoire, town.dance_school])

    accounts = {("Cécile", "Vasseur"): vasseur, ("Nicolas", "Delattre"): delattre}
    teaching = Teaching(town, make_teachers(accounts))
    vote(town, teaching, clock, register.users)
    schooling = Schooling(teaching, village.households, rng)
    schooling.enrol()
    schooling.remember()
    schooling.play(clock)
    close_for_the_holidays(town)
    fix_hours(town)
    evaluate(town, clock, random.Random(SEED))  # its own: what follows stays the same
    schooling.welcome(clock)
    launch(town, clock, register.users["secretariat"])

    attest_last_spring(town, clock, village.households, register.users["secretariat"])
    cast = {name: village.of(name) for name in ("martin.c", "benali.n", "benali.s", "dubois.p")}
    Office(town, clock, register.users["regie"]).bill(village.households, cast["martin.c"])
    Storeroom(town, clock, register.users["regie"]).fill(village.households)
    desk = Desk(town, teaching, clock, rng, register.users["secretariat"])
    desk.receive(cast, village.households)
    show_faces(town, clock, random.Random(SEED), vasseur, register.users["secretariat"])
    remind(town, clock, register.users["secretariat"])
    WaitingRoom(town, teaching, clock).fill(cast["benali.n"])
    call_registers(town, clock, random.Random(SEED), register.users["secretariat"])
    change_classes(town, clock, random.Random(SEED), vasseur)
    ask_for_a_copy(cast["martin.c"], clock)
    ask_to_be_forgotten(town, register, clock)
    enter_twice(village.households)
    change_lessons(
        town, clock, User.objects.get(username="martin.c"), register.users["secretariat"]
    )
    miss_a_lesson(
        clock,
        random.Random(SEED),
        User.objects.get(username="martin.c"),
        register.users["secretariat"],
    )
    announce(
        town,
        clock,
        random.Random(SEED),
        register.users["secretariat"],
        User.objects.get(username="martin.c"),
    )
    play_in_public(
        *(town, clock, random.Random(SEED), vasseur),
        User.objects.get(username="martin.c"),
        register.users["secretariat"],
    )
    _mails_have_left()
    refuse_one()


def keep_open() -> bool:
    """Opens again the campaigns that have ended since the demo was made; were there any?"""
    ended = Campaign.objects.filter(closes_at__lte=timezone.now())
    return bool(ended.update(closes_at=Clock().moment(CAMPAIGN_CLOSES, 20)))


def is_of_this_year() -> bool:
    """Is the school year that the demo calls this one still under way?"""
    return Campaign.objects.filter(previous_year=SchoolYear.objects.current()).exists()


def unload() -> None:
    """Empties the tables, the private files and the folder of mails."""
    call_command("flush", interactive=False, verbosity=0)
    with suppress(FileNotFoundError):  # nothing was ever kept
        _empty(storages["private"], "")
    for mail in (settings.VAR_DIR / "mails").glob("*.log"):
        mail.unlink()


def _empty(storage, folder):
    folders, files = storage.listdir(folder)
    for name in files:
        storage.delete(f"{folder}/{name}".lstrip("/"))
    for name in folders:
        path = f"{folder}/{name}".lstrip("/")
        _empty(storage, path)
        storage.delete(path)


def _mails_have_left():
    """Those days are past: the first mail that one sees leave is one's own."""
    Mail.objects.filter(sent_at=None).update(sent_at=F("created_at"), attempts=1)
