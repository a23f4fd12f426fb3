"""What the administration writes, sends, withdraws, and reads of who has read it."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import ListExport, Mail
from students.models import SchoolYear
from teaching.announcements import moves, services
from teaching.announcements.files import join
from teaching.models import Announcement, AnnouncementFile
from tests.documents.builders import make_pdf
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SlotFactory,
)
from tests.teaching.announcement_cases import (
    LIFE,
    SERVICE,
    deliver,
    make_class,
    make_draft,
    make_pupil,
    plan,
    write,
)


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


def page(name, *args):
    return reverse(f"admin:teaching_announcement_{name}", args=args)


def fields(establishment, **changes):
    return {
        "establishment": establishment.pk,
        "school_year": SchoolYear.objects.current().pk,
        "kind": SERVICE,
        "subject": "Fermeture vendredi",
        "text": "Le conservatoire est fermé.",
        "signed": "Le secrétariat",
        **changes,
    }


def send(desk, draft, **changes):
    draft.refresh_from_db()
    data = {"act": "send", "edition": draft.edition, "when": "maintenant", **changes}
    return desk.post(page("preview", draft.pk), data)


class TestWriting:
    def test_written_previewed_sent(self, desk, establishment, registrar):
        EnrolmentFactory(student=make_pupil(first_name="Claire", last_name="Martin"))

        answer = desk.post(page("add"), fields(establishment, everyone="on"))
        draft = Announcement.objects.get()
        assert answer.url == page("preview", draft.pk)
        assert (draft.author, draft.teacher) == (registrar, None)
        preview = desk.get(answer.url).text
        assert "1 foyer, 1 responsable" in preview
        assert "Bonjour Claire Martin," in preview
        assert "Le secrétariat vous écrit (aux familles de l&#x27;établissement)" in preview

        answer = send(desk, draft)
        deliver()

        report = desk.get(answer.url).text
        assert "Lu par 0 foyer sur 1" in report
        assert Mail.objects.get(kind="announcement").subject == "Fermeture vendredi"

    @pytest.mark.parametrize("name", ["subject", "text", "signed", "kind"])
    def test_each_is_required(self, desk, establishment, student, name):
        EnrolmentFactory(student=student)

        answer = desk.post(page("add"), fields(establishment, everyone="on", **{name: ""}))

        assert name in answer.context["adminform"].form.errors
        assert not Announcement.objects.exists()

    def test_to_nobody_in_particular(self, desk, establishment, student):
        EnrolmentFactory(student=student)

        answer = desk.post(page("add"), fields(establishment))

        assert "Dites à qui s&#x27;adresse ce message" in answer.text

    @pytest.mark.parametrize("name", ["courses", "slots"])
    def test_a_course_of_another_year_than_said(self, desk, establishment, student, name):
        EnrolmentFactory(student=student)
        slot = SlotFactory(course__coming=True)
        row = {"courses": slot.course, "slots": slot}[name]

        answer = desk.post(page("add"), fields(establishment, **{name: [row.pk]}))

        assert "n&#x27;est pas de cet établissement, ou de cette année" in answer.text

    def test_a_course_of_another_site_is_no_choice(self, desk, establishment, student):
        EnrolmentFactory(student=student)
        theirs = CourseFactory(establishment=EstablishmentFactory(name="Annexe"))

        answer = desk.post(page("add"), fields(establishment, courses=[theirs.pk]))

        assert "courses" in answer.context["adminform"].form.errors

    def test_changed_then_given_up(self, desk, establishment, registrar):
        draft = make_draft(registrar)
        desk.post(page("change", draft.pk), fields(establishment, everyone="on", text="Mieux."))
        draft.refresh_from_db()
        assert (draft.text, draft.edition) == ("Mieux.", 2)

        desk.post(page("preview", draft.pk), {"act": "discard"})

        assert not Announcement.objects.exists()

    def test_what_is_sent_is_read_only(self, desk, establishment, registrar, student):
        EnrolmentFactory(student=student)
        sent = deliver(make_draft(registrar))

        answer = desk.post(page("change", sent.pk), fields(establishment, text="Trop tard."))

        assert answer.status_code == 403
        assert desk.get(page("change", sent.pk)).status_code == 200
        sent.refresh_from_db()
        assert sent.text != "Trop tard."


class TestSending:
    @pytest.fixture
    def draft(self, registrar, parent, student):
        EnrolmentFactory(student=student)
        return make_draft(registrar)

    def test_two_clicks_are_one_sending(self, desk, draft):
        assert send(desk, draft).url == send(desk, draft).url == page("report", draft.pk)
        deliver()

        assert Mail.objects.filter(kind="announcement").count() == 1

    def test_later_then_cancelled(self, desk, draft):
        at = timezone.localtime() + dt.timedelta(days=2)
        send(desk, draft, when="plus-tard", planned_for=at.strftime("%Y-%m-%dT%H:%M"))
        draft.refresh_from_db()
        assert draft.is_planned
        assert "Annuler l'envoi prévu" in desk.get(page("preview", draft.pk)).text

        desk.post(page("preview", draft.pk), {"act": "take_up"})

        draft.refresh_from_db()
        assert draft.is_draft

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"when": ""}, "Dites quand envoyer"),
            ({"when": "plus-tard"}, "Choisissez la date et l&#x27;heure."),
            ({"when": "plus-tard", "planned_for": "2020-01-01T08:00"}, "est passé"),
            ({"when": "plus-tard", "planned_for": "2099-01-01T08:00"}, "dans l&#x27;année"),
            ({"edition": "7"}, "relisez-le"),
        ],
    )
    def test_refused_beside_the_field(self, desk, draft, changes, sentence):
        assert sentence in send(desk, draft, **changes).text
        draft.refresh_from_db()
        assert draft.is_draft

    def test_withdrawn(self, desk, draft):
        deliver(draft)

        desk.post(page("preview", draft.pk), {"act": "withdraw"})

        draft.refresh_from_db()
        assert draft.is_withdrawn
        assert Mail.objects.get(kind="announcement").last_error == services.WITHDRAWN

    @pytest.mark.parametrize("act", ["withdraw", "take_up"])
    def test_an_act_that_is_not_to_be_done_says_so(self, desk, draft, act):
        answer = desk.post(page("preview", draft.pk), {"act": act}, follow=True)

        assert "Action déjà faite ou impossible." in answer.text

    def test_without_the_right_nobody_sends(self, client, accountant, draft):
        client.force_login(accountant)

        assert send(client, draft).status_code == 403
        draft.refresh_from_db()
        assert draft.is_draft


class TestFiles:
    def test_joined_then_taken_away(self, desk, registrar, student):
        EnrolmentFactory(student=student)
        draft = make_draft(registrar)
        upload = SimpleUploadedFile("programme.pdf", make_pdf())
        desk.post(page("preview", draft.pk), {"act": "join", "file": upload})
        file = AnnouncementFile.objects.get()
        assert desk.get(page("file", draft.pk, file.pk))["X-Content-Type-Options"] == "nosniff"

        desk.post(page("preview", draft.pk), {"act": "detach", "file": file.pk})

        assert not AnnouncementFile.objects.exists()

    def test_refused_beside_the_field(self, desk, registrar):
        draft = make_draft(registrar)
        upload = SimpleUploadedFile("virus.exe", b"MZ")

        answer = desk.post(page("preview", draft.pk), {"act": "join", "file": upload})

        assert "ne sont pas acceptés" in answer.text

    @pytest.mark.parametrize("key", ["", "x", "00000000000000000000000000000000"])
    def test_a_file_that_is_none(self, desk, registrar, key):
        draft = make_draft(registrar)
        kept = join(draft, "programme.pdf", make_pdf())

        desk.post(page("preview", draft.pk), {"act": "detach", "file": key})

        assert AnnouncementFile.objects.get() == kept


class TestReport:
    @pytest.fixture
    def sent(self, registrar, teacher):
        for last_name in ("Martin", "Benali"):
            pupil = make_pupil(last_name=last_name, family__name=last_name)
            EnrolmentFactory(student=pupil)
        GuardianFactory(family=pupil.families.get(), user=None, email="", last_name="=Zoé")
        return deliver(make_draft(registrar, everyone=True, to_teachers=True))

    def test_household_by_household(self, desk, sent):
        services.mark_read(sent.recipients.get(guardian__last_name="Martin"))

        text = desk.get(page("report", sent.pk)).text

        assert "Lu par 1 foyer sur 2" in text
        assert "Lu par 0 enseignant sur 1" in text
        assert "sans adresse e-mail" in text
        assert text.index("Benali") < text.index("Martin")

    def test_exported_and_neutralised(self, desk, sent):
        text = desk.get(page("report_export", sent.pk)).content.decode("utf-8-sig")

        assert text.splitlines()[0].replace('"', "") == "Foyer;Destinataire;Envoi;Lu le"
        assert "Claire =Zoé" in text
        assert ListExport.objects.get().rows == 4

    @pytest.mark.parametrize("name", ["report", "preview", "changelist"])
    @pytest.mark.parametrize("count", [1, 3])
    def test_queries_do_not_grow(self, desk, registrar, name, count, django_assert_max_num_queries):
        for _ in range(count):
            EnrolmentFactory(student=make_pupil(homes=2))
        for _ in range(count):
            sent = deliver(make_draft(registrar))
        keys = [] if name == "changelist" else [sent.pk]

        with django_assert_max_num_queries({"report": 14, "preview": 26, "changelist": 13}[name]):
            desk.get(page(name, *keys))


class TestSites:
    def test_another_site_s_does_not_exist(self, desk, superuser):
        annexe = EstablishmentFactory(name="Annexe")
        EnrolmentFactory(student=make_pupil(), course__establishment=annexe)
        theirs = make_draft(superuser, establishment=annexe)

        for name in ("preview", "report", "report_export"):
            for key in (theirs.pk, 987_654):
                assert desk.get(page(name, key)).status_code == 404
        assert send(desk, theirs).status_code == 404
        theirs.refresh_from_db()
        assert theirs.is_draft

    def test_a_teacher_s_draft_is_his_own_what_he_sent_is_read(self, desk, teacher):
        slot = make_class(teacher, make_pupil())
        draft, sent = write(slot, teacher), deliver(write(slot, teacher, kind=LIFE))

        assert desk.get(page("preview", draft.pk)).status_code == 404
        assert desk.get(page("report", sent.pk)).status_code == 200
        shown = desk.get(page("changelist")).context["cl"].queryset
        assert list(shown) == [sent]

    def test_what_a_teacher_sent_may_be_withdrawn_and_not_changed(self, desk, teacher):
        sent = deliver(write(make_class(teacher, make_pupil()), teacher))

        assert desk.post(page("change", sent.pk), {"text": "Autre"}).status_code == 403
        desk.post(page("preview", sent.pk), {"act": "withdraw"})

        sent.refresh_from_db()
        assert sent.is_withdrawn


def test_a_draft_that_a_colleague_has_just_sent_is_not_written_over(
    desk, establishment, registrar, student, monkeypatch
):
    """Between the page's own look at the state and its writing."""
    EnrolmentFactory(student=student)
    GuardianFactory(family=student.families.get())
    draft = make_draft(registrar)

    def send_first(announcement):
        plan(draft)
        return moves.lock_draft(announcement)

    monkeypatch.setattr("teaching.announcements.admin.lock_draft", send_first)

    answer = desk.post(page("change", draft.pk), fields(establishment, everyone="on", text="Non."))

    assert answer.status_code == 403
    draft.refresh_from_db()
    assert draft.text != "Non."
