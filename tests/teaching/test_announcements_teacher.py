"""A teacher writes to a class, on his phone; and what he reads of who has read it."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from documents.antivirus.arrival import rest
from families.models import FileToDelete
from students.enums import Scheduling
from teaching.announcements import files, services
from teaching.models import Announcement, AnnouncementFile
from teaching.models.announcements import SUBJECT_LENGTH, TEXT_LENGTH
from tests.documents.builders import make_jpeg, make_pdf
from tests.documents.corpus.active import SCRIPTED
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    TeacherFactory,
)
from tests.fake_clamd import SIGNATURE
from tests.teaching.announcement_cases import (
    LIFE,
    SERVICE,
    TYPED,
    deliver,
    make_class,
    make_draft,
    make_pupil,
    plan,
    write,
)


@pytest.fixture
def slot(teacher):
    return make_class(teacher, make_pupil(), make_pupil())


@pytest.fixture
def desk(client, teacher):
    client.force_login(teacher.user)
    return client


def page(name, *args):
    return reverse(f"teacher:{name}", args=args)


def upload(name="programme.pdf", content=None):
    return SimpleUploadedFile(name, content or make_pdf())


class TestWriting:
    def send(self, desk, slot, **typed):
        return desk.post(page("write_to_slot", slot.pk), {"key": uuid.uuid4(), **TYPED, **typed})

    def test_the_draft_then_the_preview_then_sent(self, desk, slot):
        answer = self.send(desk, slot)
        draft = Announcement.objects.get()
        assert answer.url == page("announcement", draft.pk)
        preview = desk.get(answer.url).text
        assert "2 foyers recevront ce message" in preview
        assert "Rendez-vous à 10 h." in preview

        answer = desk.post(page("send_announcement", draft.pk), {"edition": draft.edition})
        deliver()

        text = desk.get(answer.url).text
        assert "Votre message est envoyé." in text
        assert "lu par 0 foyer sur 2" in text

    def test_sent_by_two_clicks_it_is_sent_once(self, desk, slot):
        self.send(desk, slot)
        draft = Announcement.objects.get()

        for _ in range(2):
            answer = desk.post(
                page("send_announcement", draft.pk), {"edition": draft.edition}, follow=True
            )
            assert "Votre message est envoyé." in answer.text

        deliver()
        assert draft.moves.filter(to_state="planned").count() == 1

    def test_the_form_sent_twice_makes_one_draft(self, desk, slot):
        key = uuid.uuid4()
        for _ in range(2):
            self.send(desk, slot, key=key)

        assert Announcement.objects.count() == 1

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"subject": ""}, "Indiquez l&#x27;objet du message."),
            ({"text": " "}, "Écrivez le texte du message."),
            ({"kind": ""}, "Dites de quelle nature est ce message."),
            ({"kind": "autre"}, "Sélectionnez un choix valide"),
            ({"subject": "x" * (SUBJECT_LENGTH + 1)}, "au plus 120 caractères"),
            ({"text": "x" * (TEXT_LENGTH + 1)}, "au plus 4000 caractères"),
        ],
    )
    def test_a_refusal_stands_beside_the_field_and_loses_nothing(self, desk, slot, typed, sentence):
        answer = self.send(desk, slot, **typed)

        assert answer.status_code == 200
        assert sentence in answer.text
        kept = {**TYPED, **typed}
        for name in ("subject", "text"):
            assert kept[name].strip()[:100] in answer.text
        assert Announcement.objects.get().is_draft

    def test_an_empty_page_makes_no_draft(self, desk, slot):
        answer = desk.post(page("write_to_slot", slot.pk), {})

        assert "Il y a un problème" in answer.text
        assert not Announcement.objects.exists()

    @pytest.mark.parametrize("key", ["", "n'importe quoi", "12"])
    def test_a_key_that_is_none(self, desk, slot, key):
        assert self.send(desk, slot, key=key).status_code == 302

    def test_the_key_of_another_teacher_s_message_is_not_found(self, desk, slot):
        other = TeacherFactory()
        draft = write(make_class(other), other)

        assert self.send(desk, slot, key=draft.key).status_code == 404
        draft.refresh_from_db()
        assert draft.text == TYPED["text"]

    def test_extra_fields_change_nothing(self, desk, slot):
        self.send(desk, slot, state="sent", everyone="on", signed="La direction", teacher="1")

        draft = Announcement.objects.get()
        assert (draft.state, draft.everyone, draft.signed) == ("draft", False, "Cécile Vasseur")

    def test_a_course_without_slots(self, desk, teacher):
        course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER, name="Piano")
        EnrolmentFactory(course=course, student=make_pupil())

        answer = desk.post(page("write_to_course", course.pk), TYPED)

        assert (
            "1 foyer recevra ce message, aux familles de\u00a0: Piano" in desk.get(answer.url).text
        )

    def test_what_was_sent_is_not_changed_by_going_back(self, desk, slot):
        key = uuid.uuid4()
        self.send(desk, slot, key=key)
        deliver(Announcement.objects.get())

        answer = self.send(desk, slot, key=key, text="Autre chose.")

        assert answer.status_code == 302
        assert Announcement.objects.get().text == TYPED["text"]

    def test_a_draft_is_changed_then_given_up(self, desk, slot, teacher):
        draft = write(slot, teacher)
        address = page("rewrite_announcement", draft.pk)
        assert TYPED["text"] in desk.get(address).text

        desk.post(address, {**TYPED, "text": "Plutôt à 11 h."})
        draft.refresh_from_db()
        assert draft.text == "Plutôt à 11 h."

        desk.post(page("discard_announcement", draft.pk))
        assert not Announcement.objects.exists()

    def test_what_changed_meanwhile_is_read_again(self, desk, slot, teacher):
        draft = write(slot, teacher)
        services.rewrite(draft, {"text": "Sur un autre écran."})

        answer = desk.post(
            page("send_announcement", draft.pk), {"edition": draft.edition}, follow=True
        )

        assert "relisez-le" in answer.text
        assert Announcement.objects.get().is_draft

    @pytest.mark.parametrize("edition", ["", "x", "²", "9" * 30])
    def test_an_edition_that_is_none(self, desk, slot, teacher, edition):
        draft = write(slot, teacher)

        desk.post(page("send_announcement", draft.pk), {"edition": edition})

        assert Announcement.objects.get().is_draft


class TestOtherClasses:
    @pytest.mark.parametrize(
        "make",
        [
            lambda teacher: make_class(TeacherFactory()),
            lambda teacher: make_class(teacher, course__coming=True),
            lambda teacher: make_class(
                teacher, course__establishment=EstablishmentFactory(name="Annexe")
            ),
        ],
        ids=["a colleague's", "of the coming year", "of a site that is not his"],
    )
    def test_they_do_not_exist(self, desk, teacher, make):
        slot = make(teacher)

        for key in (slot.pk, 987_654):
            address = page("write_to_slot", key)
            assert desk.get(address).status_code == 404
            assert desk.post(address, TYPED).status_code == 404
        assert not Announcement.objects.exists()

    def test_a_colleague_s_course(self, desk, teacher):
        course = CourseFactory(teacher=TeacherFactory(), scheduling=Scheduling.TEACHER)

        assert desk.get(page("write_to_course", course.pk)).status_code == 404

    @pytest.mark.parametrize(
        "name",
        [
            *["announcement", "rewrite_announcement", "send_announcement"],
            *["withdraw_announcement", "discard_announcement"],
        ],
    )
    def test_a_colleague_s_message_does_not_exist(self, desk, teacher, name):
        other = TeacherFactory()
        theirs = write(make_class(other, make_pupil()), other)

        for key in (theirs.pk, 987_654):
            answers = {
                desk.get(page(name, key)).status_code,
                desk.post(page(name, key), {"edition": 1}).status_code,
            }
            assert answers <= {404, 405}
        theirs.refresh_from_db()
        assert theirs.is_draft

    def test_the_page_lists_his_own_of_this_year(self, desk, teacher, slot):
        make_class(TeacherFactory())
        make_class(teacher, course__coming=True)

        assert list(desk.get(page("announcements")).context["slots"]) == [slot]

    def test_the_class_page_leads_there_this_year_only(self, desk, teacher, slot):
        coming = make_class(teacher, course__coming=True)

        assert page("write_to_slot", slot.pk) in desk.get(page("slot", slot.pk)).text
        assert page("write_to_slot", coming.pk) not in desk.get(page("slot", coming.pk)).text


class TestFiles:
    def write(self, desk, slot, *uploads, **typed):
        data = {"key": uuid.uuid4(), **TYPED, "files": list(uploads), **typed}
        return desk.post(page("write_to_slot", slot.pk), data)

    def test_three_checked_and_kept(self, desk, slot):
        answer = self.write(
            desk, slot, upload(), upload("plan.jpg", make_jpeg()), upload("liste.pdf")
        )

        assert answer.status_code == 302
        kept = AnnouncementFile.objects.order_by("joined_at")
        assert [(file.name, file.content_type) for file in kept] == [
            ("programme.pdf", "application/pdf"),
            ("plan.jpg", "image/jpeg"),
            ("liste.pdf", "application/pdf"),
        ]
        text = desk.get(answer.url).text
        assert "programme.pdf" in text

    def test_a_fourth_is_refused_the_three_stay(self, desk, slot):
        answer = self.write(desk, slot, *[upload(f"piece-{n}.pdf") for n in range(4)])

        assert "3 pièces jointes au plus" in answer.text
        assert AnnouncementFile.objects.count() == 3

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("virus.exe", b"MZ", "ne sont pas acceptés"),
            ("menu.pdf", b"<html>", "n&#x27;est pas ce que dit son nom"),
            ("été.pdf", None, "que nous n&#x27;acceptons pas"),
            ("lourd.pdf", b"%PDF-1.7" + bytes(2_100_000), "la limite est de 2\u00a0Mo"),
        ],
    )
    def test_a_refused_file_says_why_and_the_rest_is_kept(
        self, desk, slot, name, content, sentence
    ):
        answer = self.write(desk, slot, upload(name, content), upload("bon.pdf"))

        assert answer.status_code == 200
        assert sentence in answer.text
        assert AnnouncementFile.objects.get().name == "bon.pdf"
        assert Announcement.objects.get().text == TYPED["text"]

    def test_a_pdf_with_a_script_is_refused(self, desk, slot):
        answer = self.write(desk, slot, upload("actif.pdf", SCRIPTED()))

        assert answer.status_code == 200
        assert not AnnouncementFile.objects.exists()

    def test_with_a_missing_text_the_file_is_kept_all_the_same(self, desk, slot):
        answer = self.write(desk, slot, upload(), text="")

        assert "Déjà joint" in answer.text
        assert AnnouncementFile.objects.get().name == "programme.pdf"

    def test_one_is_taken_away_and_what_is_typed_kept(self, desk, slot, teacher):
        draft = write(slot, teacher)
        file = files.join(draft, "programme.pdf", make_pdf())

        answer = desk.post(
            page("rewrite_announcement", draft.pk),
            {**TYPED, "text": "Sans pièce.", "retirer": str(file.pk)},
        )

        assert "Sans pièce." in answer.text
        assert not AnnouncementFile.objects.exists()
        assert FileToDelete.objects.get().name == file.file.name

    def test_another_message_s_file_is_not_taken_away(self, desk, slot, teacher):
        other = TeacherFactory()
        theirs = files.join(write(make_class(other), other), "sien.pdf", make_pdf())
        draft = write(slot, teacher)

        desk.post(page("rewrite_announcement", draft.pk), {**TYPED, "retirer": str(theirs.pk)})

        assert AnnouncementFile.objects.filter(pk=theirs.pk).exists()

    def test_infected_or_not_to_be_scanned_it_is_refused(self, desk, slot, clamd):
        answer = self.write(desk, slot, upload(content=make_pdf() + b"% " + SIGNATURE))
        assert "programme malveillant" in answer.text

        clamd.stop()
        rest.end()
        answer = self.write(desk, slot, upload())

        assert "contrôle de sécurité ne répond pas" in answer.text
        assert not AnnouncementFile.objects.exists()

    def test_a_storage_that_is_down_keeps_the_text(self, desk, slot, monkeypatch):
        storage = AnnouncementFile._meta.get_field("file").storage
        monkeypatch.setattr(storage, "_save", _fail)

        answer = self.write(desk, slot, upload())

        assert "espace de stockage ne répond pas" in answer.text
        assert Announcement.objects.get().text == TYPED["text"]
        assert not AnnouncementFile.objects.exists()

    def test_his_own_file_and_not_a_colleague_s(self, desk, slot, teacher):
        mine = files.join(write(slot, teacher), "mien.pdf", make_pdf())
        other = TeacherFactory()
        theirs = files.join(write(make_class(other), other), "sien.pdf", make_pdf())

        assert desk.get(page("announcement_file", mine.pk)).status_code == 200
        assert desk.get(page("announcement_file", theirs.pk)).status_code == 404


def _fail(*args):
    raise OSError("full")


class TestReaders:
    def test_which_students_and_never_who_answers_for_them(self, desk, teacher):
        pupil = make_pupil(last_name="Zyresponsable", email="zy@example.org")
        found = deliver(write(make_class(teacher, pupil, make_pupil()), teacher))
        services.mark_read(found.recipients.order_by("guardian__pk").first())

        text = desk.get(page("announcement", found.pk)).text

        assert "lu par 1 foyer sur 2" in text
        assert "Lu par la famille de" in text
        assert "Pas encore lu par la famille de" in text
        assert str(pupil) in text
        assert "Zyresponsable" not in text
        assert "zy@example.org" not in text

    @pytest.mark.parametrize("name", ["announcements", "announcement"])
    @pytest.mark.parametrize("count", [1, 3])
    def test_queries_do_not_grow(self, desk, teacher, name, count, django_assert_num_queries):
        students = [make_pupil(homes=2) for _ in range(count)]
        slot = make_class(teacher, *students)
        for _ in range(count):
            found = deliver(write(slot, teacher))
        keys = [found.pk] if name == "announcement" else []

        with django_assert_num_queries({"announcements": 11, "announcement": 14}[name]):
            desk.get(page(name, *keys))

    def test_withdrawn_by_its_author(self, desk, slot, teacher):
        found = deliver(write(slot, teacher))

        desk.post(page("withdraw_announcement", found.pk))

        found.refresh_from_db()
        assert found.is_withdrawn

    def test_stopped_before_the_queue_begins(self, desk, slot, teacher):
        draft = write(slot, teacher)
        plan(draft)

        answer = desk.post(page("withdraw_announcement", draft.pk), follow=True)

        assert "votre message est un brouillon" in answer.text
        draft.refresh_from_db()
        assert draft.is_draft

    def test_withdrawn_twice_tells_the_truth(self, desk, slot, teacher):
        found = deliver(write(slot, teacher))
        for _ in range(2):
            answer = desk.post(page("withdraw_announcement", found.pk), follow=True)

        assert "Action déjà faite ou impossible." in answer.text


class TestReceived:
    @pytest.fixture
    def received(self, teacher, slot):
        draft = make_draft(to_teachers=True, subject="Réunion de rentrée", kind=SERVICE)
        files.join(draft, "ordre-du-jour.pdf", make_pdf())
        return deliver(draft)

    def test_on_ma_semaine_until_it_is_read(self, desk, received):
        assert "Message\u00a0: Réunion de rentrée" in desk.get(page("index")).text
        assert "ordre-du-jour.pdf" in desk.get(page("received_announcement", received.pk)).text

        desk.post(page("read_announcement", received.pk))

        assert "Réunion de rentrée" not in desk.get(page("index")).text
        assert received.recipients.get().read_at is not None

    def test_to_open_it_changes_nothing(self, desk, received):
        desk.get(page("received_announcement", received.pk))

        assert received.recipients.get().read_at is None

    def test_its_file_is_his(self, client, desk, received):
        address = page("announcement_file", received.files.get().pk)
        assert desk.get(address).status_code == 200

        client.force_login(TeacherFactory().user)
        assert client.get(address).status_code == 404

    def test_what_a_colleague_received_does_not_exist(self, client, received):
        client.force_login(TeacherFactory().user)

        assert client.get(page("received_announcement", received.pk)).status_code == 404
        assert client.post(page("read_announcement", received.pk)).status_code == 404

    def test_one_to_families_is_not_his(self, desk, teacher, slot):
        found = deliver(make_draft(slots=[slot], kind=LIFE))

        assert desk.get(page("received_announcement", found.pk)).status_code == 404
