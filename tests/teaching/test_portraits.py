"""The faces of the class lists: made of what, shown to whom, gone when."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import storages
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import Establishment
from documents import services as documents
from documents.enums import Formats, Owner, RefusalReason, Scan
from documents.models import Document
from families.models import FileToDelete
from students import image_consent
from teaching.classes import portraits
from teaching.classes.personal_data import ClassesPart
from teaching.models import Portrait, PortraitSource
from tests.documents.builders import make_jpeg
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)


@pytest.fixture
def louise(student, piano):
    """In the teacher's piano course; her household agrees."""
    EnrolmentFactory(student=student, course=piano)
    agree(student)
    return student


@pytest.fixture
def photo(louise, photo_type, parent, registrar):
    return hand_in(louise, photo_type, parent, registrar)


def hand_in(student, type, actor, registrar, content=None):
    photo = documents.hand_in(
        "photo.jpg", content or make_jpeg(), type=type, student=student, actor=actor
    )
    return documents.accept(photo, actor=registrar)


def agree(student, agrees=True):
    for family in student.families.all():
        image_consent.set_consent(student, family, agrees=agrees)


def work():
    """What `send_mails` does, until nothing is left."""
    portraits.rest.until = 0.0
    done = 0
    while portraits.make_next():
        done += 1
    return done


class TestMaking:
    def test_a_small_picture_of_the_accepted_photo(self, louise, photo):
        assert work() == 1

        portrait = Portrait.objects.shown().get()
        assert (portrait.student, portrait.document) == (louise, photo)
        assert portrait.file.name == f"portraits/{portrait.pk.hex}"
        content = portrait.file.read()
        with Image.open(BytesIO(content)) as image:
            assert (image.format, image.size) == ("JPEG", (240, 320))
        assert len(content) < 30_000

    def test_once(self, photo):
        work()

        assert work() == 0

    def test_a_wide_photo_is_cut_to_the_same_size(self, louise, photo_type, parent, registrar):
        hand_in(louise, photo_type, parent, registrar, make_jpeg((3000, 200)))
        work()

        with Image.open(BytesIO(Portrait.objects.get().file.read())) as image:
            assert image.size == (240, 320)

    @pytest.mark.parametrize("why", ["refused", "pending", "no consent", "no source", "quarantine"])
    def test_none_without_the_right_to_show_it(self, louise, photo, registrar, why):
        match why:
            case "refused":
                documents.refuse(photo, reason=RefusalReason.UNREADABLE, actor=registrar)
            case "pending":
                Document.objects.update(verdict="pending")
            case "no consent":
                agree(louise, False)
            case "no source":
                PortraitSource.objects.all().delete()
            case "quarantine":
                Document.objects.update(verdict="pending", scan=Scan.WAITING)

        assert work() == 0
        assert not Portrait.objects.exists()

    def test_by_default_nobody_agreed(self, student, photo_type, parent, registrar):
        hand_in(student, photo_type, parent, registrar)

        assert work() == 0

    def test_of_two_households_both_must_agree(self, louise, photo):
        other = FamilyFactory()
        CustodyFactory(student=louise, family=other, rank=2)
        assert work() == 0

        image_consent.set_consent(louise, other, agrees=True)

        assert work() == 1

    def test_a_photo_that_cannot_be_drawn_is_tried_once(self, photo):
        storages["private"].delete(photo.file.name)
        storages["private"].save(photo.file.name, BytesIO(b"\xff\xd8\xff no picture"))

        assert work() == 1
        assert work() == 0
        assert not Portrait.objects.shown().exists()

    def test_what_the_child_answers_is_not_believed(self, photo, monkeypatch):
        monkeypatch.setattr(portraits, "run", lambda *args, **kwargs: b"<script>")

        work()

        assert Portrait.objects.get().file.name == ""

    def test_a_store_that_is_down_is_not_asked_again_at_once(self, photo, monkeypatch):
        def down(*args, **kwargs):
            raise OSError("store is down")

        monkeypatch.setattr(portraits, "_draw", down)
        with pytest.raises(OSError, match="store is down"):
            portraits.make_next()

        assert portraits.make_next() is None
        assert not portraits.rest.is_over

    def test_nothing_to_do_is_not_looked_for_between_each_mail(
        self, photo, django_assert_num_queries
    ):
        work()

        with django_assert_num_queries(0):
            assert portraits.make_next() is None

    def test_a_word_taken_back_while_it_is_drawn_leaves_nothing(self, louise, photo, monkeypatch):
        draw = portraits._draw

        def slowly(*args):
            drawn = draw(*args)
            agree(louise, False)
            return drawn

        monkeypatch.setattr(portraits, "_draw", slowly)

        portraits.make_next()

        assert not Portrait.objects.exists()
        assert FileToDelete.objects.filter(name__startswith="portraits/").count() == 1


class TestGoing:
    @pytest.fixture
    def portrait(self, photo):
        work()
        return Portrait.objects.get()

    def is_gone(self, portrait):
        return (
            not Portrait.objects.filter(pk=portrait.pk).exists()
            and FileToDelete.objects.filter(name=portrait.file.name).exists()
        )

    def test_at_once_with_the_consent_of_one_household(self, louise, portrait):
        other = FamilyFactory()
        CustodyFactory(student=louise, family=other, rank=2)
        agree(louise)

        image_consent.set_consent(louise, other, agrees=False)

        assert self.is_gone(portrait)

    def test_hidden_at_once_then_deleted_when_the_photo_is_refused(
        self, portrait, photo, registrar
    ):
        documents.refuse(photo, reason=RefusalReason.UNREADABLE, actor=registrar)

        assert not Portrait.objects.shown().exists()
        work()
        assert self.is_gone(portrait)

    def test_when_it_is_replaced_until_the_new_one_is_accepted(
        self, portrait, louise, photo_type, parent, registrar
    ):
        new = documents.hand_in(
            "photo.jpg", make_jpeg((700, 900)), type=photo_type, student=louise, actor=parent
        )
        assert not Portrait.objects.shown().exists()
        work()
        assert self.is_gone(portrait)

        documents.accept(new, actor=registrar)
        work()

        assert Portrait.objects.shown().get().document == new

    def test_when_the_family_takes_the_photo_back(self, portrait, photo):
        documents.remove(photo)

        assert not Portrait.objects.shown().exists()
        work()
        assert self.is_gone(portrait)

    def test_when_another_household_comes_that_has_said_nothing(self, portrait, louise):
        CustodyFactory(student=louise, family=FamilyFactory(), rank=2)

        assert not Portrait.objects.shown().exists()
        work()
        assert self.is_gone(portrait)

    def test_erased_with_the_student(self, portrait, louise, family):
        [holding] = ClassesPart().holdings(family)
        assert (holding.what, holding.count) == ("Portraits des listes de classe", 1)

        ClassesPart().erase(family)

        assert self.is_gone(portrait)

    def test_kept_while_another_household_answers_for_him(self, portrait, louise, family):
        CustodyFactory(student=louise, family=FamilyFactory(), rank=2)

        ClassesPart().erase(family)

        assert Portrait.objects.filter(pk=portrait.pk).exists()

    def test_when_the_kind_of_piece_is_no_longer_that_one(self, portrait):
        PortraitSource.objects.all().delete()

        work()

        assert self.is_gone(portrait)


class TestSeeing:
    @pytest.fixture
    def url(self, photo):
        work()
        return reverse("teacher:portrait", args=[Portrait.objects.get().pk])

    def test_by_the_student_s_teacher_and_kept_by_no_browser(self, client, teacher, url):
        client.force_login(teacher.user)

        response = client.get(url)

        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == "no-store"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.content.startswith(b"\xff\xd8\xff")

    def test_on_the_list_of_the_class(self, client, teacher, piano, url):
        client.force_login(teacher.user)
        page = reverse("teacher:course", args=[piano.pk])

        assert url in client.get(page, {"vue": "trombinoscope"}).text
        assert url not in client.get(page).text

    def test_by_the_teacher_of_his_slot(self, client, louise, url):
        colleague = TeacherFactory()
        slot = SlotFactory(teacher=colleague)
        EnrolmentFactory(student=louise, course=slot.course, place=slot.places.get())
        client.force_login(colleague.user)

        assert client.get(url).status_code == 200

    def test_by_no_other_teacher(self, client, url):
        client.force_login(TeacherFactory().user)

        assert client.get(url).status_code == 404

    @pytest.mark.parametrize("why", ["released", "ended", "last year", "site", "slots"])
    def test_by_none_who_has_him_no_more(self, client, teacher, louise, url, why):
        enrolments = louise.enrolments.all()
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        match why:
            case "released":
                enrolments.update(status="released")
            case "ended":
                enrolments.update(ends_on=yesterday)
            case "last year":
                former = CourseFactory(
                    teacher=teacher, scheduling="teacher", school_year=SchoolYearFactory(offset=-1)
                )
                enrolments.update(course=former)
            case "site":
                teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])
            case "slots":  # in a course of his, and in the slot of another
                slot = SlotFactory(course__teacher=teacher, teacher=TeacherFactory())
                enrolments.update(course=slot.course, place=slot.places.get())
        client.force_login(teacher.user)

        assert client.get(url).status_code == 404

    def test_not_once_the_right_is_gone_even_before_the_queue_works(
        self, client, teacher, photo, registrar, url
    ):
        documents.refuse(photo, reason=RefusalReason.UNREADABLE, actor=registrar)
        client.force_login(teacher.user)

        assert client.get(url).status_code == 404

    @pytest.mark.parametrize("who", ["parent", "registrar", "director"])
    def test_by_nobody_else(self, client, request, url, who):
        client.force_login(request.getfixturevalue(who))

        assert client.get(url).status_code == 404

    def test_a_file_that_is_missing_is_not_found(self, client, teacher, url):
        storages["private"].delete(Portrait.objects.get().file.name)
        client.force_login(teacher.user)

        assert client.get(url).status_code == 404

    def test_the_document_itself_stays_closed(self, client, teacher, photo, url):
        client.force_login(teacher.user)

        assert client.get(reverse("documents:download", args=[photo.pk])).status_code == 404


@pytest.mark.parametrize(("owner", "formats"), [("family", "image"), ("student", "any")])
def test_only_an_image_of_the_student_is_a_source(db, owner, formats):
    kind = DocumentTypeFactory(owner=Owner(owner), formats=Formats(formats))

    with pytest.raises(ValidationError) as caught:
        PortraitSource(type=kind).full_clean()

    assert [each.code for each in caught.value.error_dict["type"]] == ["not_a_photo"]


def test_sites_are_not_mixed(teacher, photo):
    """`of_teacher` gives what is at these sites only."""
    work()

    assert portraits.of_teacher(teacher, Establishment.objects.none()).count() == 0
    assert portraits.of_teacher(teacher, teacher.user.establishments.all()).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_senders_make_it_once(photo):
    for _ in range(5):

        def make(_):
            try:
                return portraits._make(Document.objects.get(pk=photo.pk))
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(make, range(2)))

        assert Portrait.objects.count() == 1
        portraits.let_go(photo.student)
