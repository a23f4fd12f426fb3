"""How long announcements are kept, and what becomes of them with a household."""

import datetime as dt
from io import StringIO

import pytest
from django.core.files.storage import storages
from django.core.management import call_command

from accounts import mails
from accounts.models import Mail
from families import erasures, files_to_delete
from families.absorbing import absorb_guardian, compare
from families.holdings import Copy, addressee, fingerprint_of, holdings
from imuse.invariants import violations
from students.enums import EnrolmentStatus
from students.models import Enrolment
from teaching.announcements import services
from teaching.announcements.files import join
from teaching.announcements.invariants import announcements
from teaching.announcements.personal_data import AnnouncementsPart
from teaching.announcements.purging import purge
from teaching.models import Announcement, AnnouncementFile, AnnouncementRecipient, NewsRefusal
from tests.documents.builders import make_pdf
from tests.factories import EnrolmentFactory, GuardianFactory
from tests.teaching.announcement_cases import LIFE, deliver, make_class, make_draft, plan, write


@pytest.fixture
def slot(teacher, student, parent):
    return make_class(teacher, student)


@pytest.fixture
def sent(slot, teacher):
    draft = write(slot, teacher)
    join(draft, "programme.pdf", make_pdf())
    return deliver(draft)


class TestPurge:
    @pytest.fixture
    def ends_on(self, sent):
        return sent.school_year.ends_on

    def test_thirteen_months_after_the_year(self, sent, ends_on):
        first_day = dt.date(ends_on.year + 1, 10, 1)
        assert purge(first_day - dt.timedelta(days=1)).announcements == 0

        purged = purge(first_day)

        assert (purged.announcements, purged.files, purged.recipients) == (1, 1, 1)
        while files_to_delete.delete_next():
            pass
        file = AnnouncementFile.objects.get()
        assert not file.file
        assert storages["private"].listdir("announcements")[1] == []
        assert not AnnouncementRecipient.objects.exists()
        sent.refresh_from_db()
        assert (sent.text, sent.state) == ("Rendez-vous à 10 h.", "sent")
        assert purge(first_day).announcements == 0
        assert list(violations()) == []

    def test_a_draft_goes_whole_what_is_planned_stays(self, slot, teacher, ends_on):
        write(slot, teacher)
        plan(kept := write(slot, teacher), planned_for=None)

        assert purge(dt.date(ends_on.year + 2, 1, 1)).drafts == 1

        assert Announcement.objects.filter(pk=kept.pk).exists()
        assert not Announcement.objects.filter(state="draft").exists()

    def test_the_command_tells_and_with_dry_run_does_nothing(self, sent, monkeypatch):
        written = StringIO()
        call_command("purge_announcements", dry_run=True, stdout=written)
        assert "À effacer : 0 destinataires" in written.getvalue()
        monkeypatch.setattr(
            "teaching.announcements.purging.timezone.localdate",
            lambda: dt.date(sent.school_year.ends_on.year + 2, 1, 1),
        )
        call_command("purge_announcements", dry_run=True, stdout=written)
        assert "1 destinataires et 1 fichiers de 1 messages" in written.getvalue()
        assert AnnouncementRecipient.objects.exists()

        call_command("purge_announcements", stdout=written)

        assert not AnnouncementRecipient.objects.exists()


class TestMyData:
    def test_the_copy_has_what_was_received_and_read(self, sent, parent):
        services.mark_read(sent.recipients.get())
        services.want_news(parent.guardian, False)

        data = AnnouncementsPart().export(Copy(parent.guardian))

        [row] = data["messages du conservatoire"]
        assert (row["objet"], row["signature"]) == ("Répétition samedi", "Cécile Vasseur")
        assert row["lu le"]
        assert len(data["refus des e-mails de la vie du conservatoire"]) == 1

    def test_what_another_responsable_received_is_not_in_it(self, slot, teacher, parent, family):
        other = GuardianFactory(family=family)
        found = deliver(write(slot, teacher))
        services.mark_read(found.recipients.get(guardian=other))

        [row] = AnnouncementsPart().export(Copy(parent.guardian))["messages du conservatoire"]

        assert row["lu le"] is None

    def test_its_mails_are_found(self, sent, parent):
        found = AnnouncementsPart().mails(addressee(parent.guardian))

        assert [mail.subject for mail in found] == ["Répétition samedi"]

    def test_erased_with_the_household(self, sent, parent, family, director):
        services.want_news(parent.guardian, False)
        Enrolment.objects.update(status=EnrolmentStatus.RELEASED, place=None)
        request = erasures.ask(family, text="Tout.", actor=parent)
        expected = fingerprint_of(holdings(family))

        erasures.erase(request, expected=expected, actor=director)

        assert not AnnouncementRecipient.objects.exists()
        assert not NewsRefusal.objects.exists()
        assert Mail.objects.get(kind="announcement").to == ""


class TestMerging:
    def merge(self, kept, absorbed, actor):
        seen = compare(kept, absorbed).fingerprint
        return absorb_guardian(kept=kept.pk, absorbed=absorbed.pk, actor=actor, seen=seen)

    def test_of_one_that_both_have_one_stays_read_if_either_read_it(
        self, slot, teacher, parent, family, director
    ):
        double = GuardianFactory(family=family, user=None, email="double@example.org")
        found = deliver(write(slot, teacher))
        services.mark_read(found.recipients.get(guardian=double))

        self.merge(parent.guardian, double, director)

        recipient = found.recipients.get()
        assert recipient.guardian == parent.guardian
        assert recipient.read_at is not None
        given_up = Mail.objects.get(to="double@example.org")
        assert given_up.attempts == mails.MAX_ATTEMPTS

    def test_what_only_the_double_has_follows(self, slot, teacher, parent, family, director):
        found = deliver(write(slot, teacher))
        late = GuardianFactory(family=family, user=None)

        self.merge(late, parent.guardian, director)

        assert found.recipients.get().guardian == late

    @pytest.mark.parametrize("both", [True, False])
    def test_a_refusal_holds(self, parent, family, director, both):
        double = GuardianFactory(family=family, user=None)
        for guardian in [double, *([parent.guardian] if both else [])]:
            services.want_news(guardian, False)

        self.merge(parent.guardian, double, director)

        assert NewsRefusal.objects.get().guardian == parent.guardian


class TestInvariants:
    def test_all_is_well(self, sent):
        assert list(announcements()) == []

    def test_sent_to_nobody(self, sent):
        sent.recipients.all().delete()

        assert list(announcements()) == [
            "Le message «\u00a0Répétition samedi\u00a0» est envoyé et n'a aucun destinataire."
        ]

    def test_a_draft_that_somebody_has(self, sent, parent):
        EnrolmentFactory()
        AnnouncementRecipient.objects.update(announcement=make_draft(kind=LIFE).pk)

        assert any("n'est pas envoyé et a des destinataires" in each for each in announcements())

    def test_another_mail(self, sent):
        Mail.objects.filter(kind="announcement").update(kind="absence")

        [said] = announcements()
        assert "l'e-mail est un autre" in said
