"""The private address of a calendar: who reads it, what it holds, as icalendar reads it back."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from families.models import Guardian
from students.enums import Weekday
from students.models import SchoolYear, Slot
from teaching.concerts import services as concerts
from teaching.enums import Space
from teaching.lessons import Hours, lessons
from teaching.models import CalendarFeed, Closure, Concert
from teaching.timetable import feeds, services
from teaching.timetable.calendars import Publication
from teaching.timetable.services import Where
from tests.factories import (
    ConcertFactory,
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_turn,
)
from tests.teaching.timetable_cases import make_slot, make_time, next_lesson, next_monday

PAGE = "/extranet/emploi-du-temps/agenda/"


@pytest.fixture
def slot(student, parent, teacher):
    return make_slot(student, teacher=teacher)


@pytest.fixture
def feed(parent):
    return feeds.make(parent, Space.FAMILY)


def path(feed):
    return reverse("teaching:calendar", args=[feeds.SIGNER.sign(feed.key)])


def read(client, feed):
    response = client.get(path(feed))
    assert response.status_code == 200
    return Calendar.from_ical(response.content)


def events(calendar):
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


class TestPage:
    def test_it_makes_shows_replaces_and_revokes(self, client, parent):
        client.force_login(parent)
        assert "Créer mon adresse" in client.get(PAGE).text

        client.post(f"{PAGE}creer/")
        first = CalendarFeed.objects.get()
        page = client.get(PAGE)
        assert feeds.address(first) in page.text
        assert re.search(rf"webcal://[^/]+{re.escape(path(first))}", page.text)
        assert page["Cache-Control"] == "no-store"
        for name in ("Apple", "Google", "Outlook"):
            assert name in page.text

        client.post(f"{PAGE}creer/")
        second = CalendarFeed.objects.get()
        assert client.get(path(first)).status_code == 404
        assert client.get(path(second)).status_code == 200

        client.post(f"{PAGE}supprimer/")
        assert not CalendarFeed.objects.exists()
        assert client.get(path(second)).status_code == 404

    def test_a_teacher_has_his_own_beside_that_of_his_family(self, client, teacher):
        GuardianFactory(user=teacher.user)
        client.force_login(teacher.user)

        client.post(f"{PAGE}creer/")
        client.post("/extranet/enseignant/emploi-du-temps/agenda/creer/")

        assert sorted(CalendarFeed.objects.values_list("space", flat=True)) == ["family", "teacher"]

    def test_nobody_else_s_address_is_shown(self, client, feed, stranger):
        client.force_login(stranger)

        assert feed.key not in client.get(PAGE).text

    def test_two_clicks_leave_one(self, parent):
        feeds.make(parent, Space.FAMILY)
        feeds.make(parent, Space.FAMILY)

        assert CalendarFeed.objects.count() == 1


class TestAccess:
    def test_without_a_session(self, client, slot, feed):
        assert next_lesson(slot).key in str(list(events(read(client, feed))))

    @pytest.mark.parametrize("token", ["x", "a.b", "AAAA.BBBB", "%00", "é"])
    def test_a_wrong_address_is_not_found(self, client, feed, token):
        assert client.get(f"/extranet/agenda/{token}.ics").status_code == 404

    def test_the_key_alone_opens_nothing(self, client, feed):
        assert client.get(f"/extranet/agenda/{feed.key}.ics").status_code == 404
        assert client.get(f"/extranet/agenda/{feed.key}.{'A' * 43}.ics").status_code == 404

    def test_an_account_that_is_closed(self, client, slot, feed, parent):
        parent.is_active = False
        parent.save()

        assert client.get(path(feed)).status_code == 404

    def test_a_guardian_who_left_the_household(self, client, slot, feed, parent):
        Guardian.objects.update(user=None)

        assert client.get(path(feed)).status_code == 404

    def test_an_account_of_no_site_any_more(self, client, slot, feed, parent):
        parent.establishments.clear()

        assert client.get(path(feed)).status_code == 404

    def test_a_teacher_who_is_one_no_more(self, client, teacher):
        feed = feeds.make(teacher.user, Space.TEACHER)
        assert client.get(path(feed)).status_code == 200
        teacher.user = None
        teacher.save()

        assert client.get(path(feed)).status_code == 404

    def test_a_student_who_left_the_household(self, client, slot, student, feed):
        student.custodies.all().delete()

        assert events(read(client, feed)) == {}

    def test_the_key_is_random(self, parent):
        keys = {feeds.make(parent, Space.FAMILY).key for _ in range(20)}

        assert len(keys) == 20
        assert min(map(len, keys)) >= 32  # 192 bits


class TestAnswer:
    def test_its_type_and_how_long_it_is_kept(self, client, slot, feed):
        response = client.get(path(feed))

        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        assert "private" in response["Cache-Control"]
        assert "no-store" not in response["Cache-Control"]

    def test_unchanged_it_is_not_sent_again(self, client, slot, feed):
        etag = client.get(path(feed))["ETag"]

        again = client.get(path(feed), headers={"if-none-match": etag})

        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_a_proxy_that_compresses_weakens_what_it_is_recognised_by(
        self, client, slot, feed, method
    ):
        etag = client.get(path(feed))["ETag"]

        again = getattr(client, method)(path(feed), headers={"if-none-match": f"W/{etag}"})

        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)

    def test_asked_for_the_headers_alone_they_are_those_of_the_file(self, client, slot, feed):
        whole, head = client.get(path(feed)), client.head(path(feed))

        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Type", "ETag", "Cache-Control"):
            assert head[name] == whole[name]

    def test_changed_it_is(self, client, slot, feed, registrar):
        etag = client.get(path(feed))["ETag"]
        services.cancel([next_lesson(slot)], actor=registrar)

        assert client.get(path(feed), headers={"if-none-match": etag}).status_code == 200

    def test_the_same_bytes_until_something_changes(self, client, slot, feed):
        assert client.get(path(feed)).content == client.get(path(feed)).content

    def test_it_notes_the_day_it_was_read_once(self, client, slot, feed, django_assert_num_queries):
        client.get(path(feed))
        feed.refresh_from_db()
        assert feed.read_on == timezone.localdate()

        # feed, sites, guardian, students, hours twice, attendees, rows, closures, concerts
        with django_assert_num_queries(10):
            client.get(path(feed))

    def test_a_constant_number_of_queries(
        self, client, slot, student, family, feed, django_assert_num_queries
    ):
        for _ in range(3):
            make_slot(StudentFactory(family=family))
            make_time(student)
        client.get(path(feed))

        with django_assert_num_queries(11):  # the attendees of the times too
            client.get(path(feed))


class TestFormat:
    """RFC 5545, and what Google, Apple and Outlook ask of a calendar that is subscribed to."""

    def test_lines_end_as_the_norm_says(self, client, slot, feed):
        content = client.get(path(feed)).content

        assert content.startswith(b"BEGIN:VCALENDAR\r\n")
        assert content.endswith(b"END:VCALENDAR\r\n")
        assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")

    def test_what_the_calendar_says_of_itself(self, client, slot, feed, settings):
        lines = client.get(path(feed)).text.split("\r\n")

        for line in [
            "VERSION:2.0",
            "CALSCALE:GREGORIAN",
            f"X-WR-CALNAME:{settings.SITE_NAME} – emploi du temps",
            "X-WR-TIMEZONE:Europe/Paris",
            "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
            "X-PUBLISHED-TTL:PT1H",
        ]:
            assert line in lines
        assert sum(line.startswith("PRODID:") for line in lines) == 1

    def test_each_event_has_what_the_norm_requires_once_and_in_utc(self, client, slot, feed):
        found = read(client, feed).walk("VEVENT")

        assert found
        for event in found:
            assert event.required == ("UID", "DTSTAMP")
            for name in (*event.required, "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND"):
                assert not isinstance(event[name], list)
            for name in ("DTSTAMP", "LAST-MODIFIED"):
                assert event[name].to_ical().endswith(b"Z")
            assert event["DTSTART"].params["TZID"] == "Europe/Paris"
        assert len(events(read(client, feed))) == len(found)  # no name twice

    def test_an_hour_fixed_anew_is_another_version(self, client, student, feed):
        time = make_time(student)
        etag = client.get(path(feed))["ETag"]
        time.revision += 1
        time.save()

        assert client.get(path(feed))["ETag"] != etag
        assert {event["SEQUENCE"] for event in read(client, feed).walk("VEVENT")} == {1}


class TestEvents:
    def test_one_by_lesson_under_a_name_that_stays(self, client, slot, feed, registrar):
        lesson = next_lesson(slot)
        before = events(read(client, feed))
        uid = next(uid for uid in before if uid.startswith(lesson.key))
        assert uid.split("@")[1]
        assert before[uid]["SUMMARY"] == "Louise\u00a0: Formation musicale A"
        assert before[uid]["LOCATION"].startswith("Salle Ravel, Conservatoire, 6 rue de la Musique")
        assert before[uid]["DESCRIPTION"] == "Avec Cécile Vasseur."
        assert before[uid]["SEQUENCE"] == 0

        friday = next_monday() + dt.timedelta(days=4)
        services.move(lesson, Where(friday, dt.time(14), dt.time(15)), actor=registrar)

        after = events(read(client, feed))
        assert after.keys() == before.keys()
        assert after[uid].start.date() == friday
        assert after[uid]["SEQUENCE"] == 1
        assert after[uid]["LAST-MODIFIED"].dt > before[uid]["LAST-MODIFIED"].dt

    def test_the_sequence_rises_with_the_weekly_hour(self, client, slot, feed, registrar):
        """As the staff's page, or an UPDATE, changes it: a calendar then reads the lesson anew."""
        lesson = next_lesson(slot)
        uid = next(uid for uid in events(read(client, feed)) if uid.startswith(lesson.key))

        def sequence():
            return events(read(client, feed))[uid]["SEQUENCE"]

        found = [sequence()]
        slot.room = "Auditorium"
        slot.save()
        found.append(sequence())
        Slot.objects.filter(pk=slot.pk).update(starts_at=dt.time(18), teacher=None)
        found.append(sequence())
        services.cancel([lesson], actor=registrar)
        found.append(sequence())
        slot.course.name = "Solfège"
        slot.course.save()
        found.append(sequence())
        slot.course.save()
        found.append(sequence())

        assert found == [0, 1, 2, 3, 4, 4]

    def test_the_sequence_rises_with_a_fixed_hour(self, client, student, feed):
        time = make_time(student)

        def sequence():
            [*_, event] = events(read(client, feed)).values()
            return event["SEQUENCE"]

        assert sequence() == 0
        time.course.teacher = TeacherFactory(user=None)
        time.course.save()
        assert sequence() == 1
        type(time).objects.update(room="Studio 9", revision=2)
        assert sequence() == 2

    def test_a_cancelled_one_says_so(self, client, slot, feed, registrar):
        services.cancel([next_lesson(slot)], actor=registrar, reason="Grève")

        [event] = [e for e in events(read(client, feed)).values() if e["STATUS"] == "CANCELLED"]
        assert event["SUMMARY"].startswith("Annulé\u00a0: Louise")
        assert "Motif\u00a0: Grève" in event["DESCRIPTION"]

    def test_a_substitute_is_named(self, client, slot, feed, registrar):
        substitute = TeacherFactory(user=None, first_name="Paul", last_name="Durand")
        services.replace([next_lesson(slot)], substitute=substitute, actor=registrar)

        assert "Avec Paul Durand." in client.get(path(feed)).text

    def test_a_teacher_reads_his_lessons_and_those_where_he_replaces(
        self, client, slot, teacher, student, registrar
    ):
        make_time(student, teacher)
        replaced = make_slot(weekday=Weekday.FRIDAY)
        services.replace([next_lesson(replaced)], substitute=teacher, actor=registrar)
        services.replace([next_lesson(slot)], substitute=TeacherFactory(user=None), actor=registrar)

        found = events(read(client, feeds.make(teacher.user, Space.TEACHER)))

        keys = {uid.split("@")[0] for uid in found}
        assert next_lesson(replaced).key in keys
        assert next_lesson(slot).key not in keys
        assert "Louise\u00a0: Piano" in {str(e["SUMMARY"]) for e in found.values()}

    def test_no_name_but_first_names_and_teachers(self, client, student, family, feed, parent):
        student.last_name = "Zyfamille"
        student.save()
        make_slot(student, StudentFactory(first_name="Zyautre", last_name="Zyclasse"))
        other = FamilyFactory(name="Zyfoyer", address="77 rue Zyvoie")
        CustodyFactory(student=student, family=other, rank=2)

        assert "Zy" not in client.get(path(feed)).text

    def test_odd_names_come_back_whole(self, client, family, feed):
        name = "Chœur d'enfants ; « O'Brien, Nguyễn » \\ 12–14 ans, " + "très long " * 7
        student = StudentFactory(first_name="Mélusine-Eugénie", family=family)
        course = name.strip()[:100]
        slot = make_slot(student, course__name=course, group="", room="Salle, du fond ; à gauche")

        response = client.get(path(feed))

        lines = response.content.split(b"\r\n")
        assert max(map(len, lines)) <= 75
        event = events(Calendar.from_ical(response.content))
        [found] = [e for uid, e in event.items() if uid.startswith(next_lesson(slot).key)]
        assert str(found["SUMMARY"]) == f"Mélusine-Eugénie\u00a0: {course}"
        assert str(found["LOCATION"]).startswith("Salle, du fond ; à gauche, ")


class TestConcerts:
    @pytest.fixture
    def concert(self, student, teacher):
        starts_at = dt.datetime.combine(next_monday(), dt.time(18))
        concert = ConcertFactory(published=True, starts_at=timezone.make_aware(starts_at))
        make_turn(concert, make_time(student, teacher).enrolment, minutes=4)
        return concert

    def event(self, client, feed):
        [found] = [
            event for uid, event in events(read(client, feed)).items() if uid.startswith("concert-")
        ]
        return found

    def test_who_plays_where_and_an_hour_at_least(self, client, feed, concert):
        event = self.event(client, feed)

        assert event["SUMMARY"] == "Louise\u00a0: Audition de printemps"
        assert event["LOCATION"] == "Salle Ravel, Conservatoire"
        assert event.start == concert.starts_at
        assert event.end - event.start == dt.timedelta(hours=1)

    def test_it_lasts_as_the_programme(self, client, feed, concert):
        for _ in range(3):
            make_turn(concert, EnrolmentFactory(), minutes=30)

        event = self.event(client, feed)

        assert event.end - event.start == dt.timedelta(minutes=94)

    def test_moved_and_cancelled_it_is_the_same_event(self, client, feed, concert, registrar):
        etag = client.get(path(feed))["ETag"]
        first = self.event(client, feed)
        concert.starts_at += dt.timedelta(days=1)
        concerts.save(concert, actor=registrar)

        second = self.event(client, feed)
        concerts.cancel(concert, reason="Grève", actor=registrar)
        last = self.event(client, feed)

        assert client.get(path(feed))["ETag"] != etag
        assert {first["UID"], second["UID"], last["UID"]} == {first["UID"]}
        assert second.start - first.start == dt.timedelta(days=1)
        assert first["SEQUENCE"] < second["SEQUENCE"] < last["SEQUENCE"]
        assert (last["STATUS"], last["SUMMARY"]) == (
            "CANCELLED",
            "Annulée\u00a0: Louise\u00a0: Audition de printemps",
        )
        assert last["DESCRIPTION"] == "Motif\u00a0: Grève."

    def test_a_draft_is_in_no_calendar(self, client, feed, concert):
        Concert.objects.update(state="draft", published_at=None)

        assert "concert-" not in client.get(path(feed)).text

    def test_the_others_who_play_are_named_to_nobody(self, client, feed, teacher, concert):
        other = StudentFactory(first_name="Zyautre", last_name="Zyclasse")
        make_turn(concert, EnrolmentFactory(student=other))

        for each in (feed, feeds.make(teacher.user, Space.TEACHER)):
            assert "Zy" not in client.get(path(each)).text

    def test_a_teacher_reads_which_of_his_pupils_play(self, client, teacher, concert):
        event = self.event(client, feeds.make(teacher.user, Space.TEACHER))

        assert event["SUMMARY"] == "Audition de printemps"
        assert event["DESCRIPTION"] == "Vos élèves\u00a0: Louise."


class TestClocks:
    """Summer time ends on 25 October 2026 and begins on 28 March 2027."""

    @pytest.fixture
    def calendar(self, db):
        year = SchoolYear.objects.create(
            starts_on=dt.date(2026, 9, 1), ends_on=dt.date(2027, 8, 31)
        )
        slot = SlotFactory(course__school_year=year)
        Closure.objects.create(
            kind="holidays",
            name="Toussaint",
            first_on=dt.date(2026, 11, 2),
            last_on=dt.date(2026, 11, 8),
        )
        found = lessons(Hours([slot], []), dt.date(2026, 10, 1), dt.date(2027, 4, 30))
        events = [feeds.Event(lesson, "Louise") for lesson in found]
        publication = Publication("Cours", feeds.Agenda(events, []))
        return publication.write()

    def test_half_past_six_stays_half_past_six(self, calendar):
        starts = {e.start.date(): e.start for e in Calendar.from_ical(calendar).walk("VEVENT")}

        for day, offset in {
            dt.date(2026, 10, 19): 2,
            dt.date(2026, 10, 26): 1,
            dt.date(2027, 3, 22): 1,
            dt.date(2027, 3, 29): 2,
        }.items():
            assert (starts[day].hour, starts[day].minute) == (18, 30)
            assert starts[day].utcoffset() == dt.timedelta(hours=offset)
        assert dt.date(2026, 11, 2) not in starts

    def test_the_zone_is_named_and_described(self, calendar):
        text = calendar.decode()

        assert "DTSTART;TZID=Europe/Paris:20261026T183000" in text
        assert text.count("BEGIN:VTIMEZONE") == 1
        assert "TZID:Europe/Paris" in text

    def test_the_description_of_the_zone_is_right_by_itself(self, calendar):
        """As Outlook does, which reads VTIMEZONE and not our machine's tables."""
        [zone] = Calendar.from_ical(calendar).walk("VTIMEZONE")
        zone.pop("TZID")
        zone.add("tzid", "Conservatoire/Inconnu")
        described = zone.to_tz()

        for day, offset in {
            dt.date(2026, 10, 19): 2,
            dt.date(2026, 10, 26): 1,
            dt.date(2027, 3, 22): 1,
            dt.date(2027, 3, 29): 2,
        }.items():
            evening = dt.datetime.combine(day, dt.time(18, 30))
            assert described.utcoffset(evening) == dt.timedelta(hours=offset)
