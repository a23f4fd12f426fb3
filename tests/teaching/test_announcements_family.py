"""« Messages » of a family, « Accueil », and the choice of the mails."""

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from families.absorbing import absorb_guardian, compare
from teaching.announcements import files, opting_out, services
from teaching.models import AnnouncementRecipient, NewsRefusal
from tests.documents.builders import make_pdf
from tests.factories import CustodyFactory, GuardianFactory
from tests.teaching.announcement_cases import LIFE, deliver, make_class, write


@pytest.fixture
def slot(teacher, student):
    return make_class(teacher, student)


@pytest.fixture
def announcement(slot, teacher, parent):
    draft = write(slot, teacher, subject="Concert du 12", text="À 18 h.\n\nEn noir.")
    files.join(draft, "programme.pdf", make_pdf())
    return deliver(draft)


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def page(name, *args):
    return reverse(f"teaching:{name}", args=args)


def is_read():
    return AnnouncementRecipient.objects.get(guardian__user__username="martin.c").read_at


class TestHome:
    def test_what_is_unread_is_on_accueil_until_it_is_read(self, home, announcement):
        answer = home.get(reverse("imuse:home"))
        assert "1 message à lire" in answer.text
        assert page("announcement", announcement.pk) in answer.text

        home.post(page("read_announcement", announcement.pk))

        assert "Concert du 12" not in home.get(reverse("imuse:home")).text

    @pytest.mark.parametrize("count", [1, 3])
    def test_however_many_the_page_makes_no_more_queries(self, home, slot, teacher, count):
        home.get(reverse("imuse:home"))
        with_none = _queries(home)
        for _ in range(count):
            deliver(write(slot, teacher))

        assert _queries(home) == with_none

    def test_one_withdrawn_is_gone(self, home, announcement, teacher):
        services.withdraw(announcement, actor=teacher.user)

        assert "à lire" not in home.get(reverse("imuse:home")).text
        assert home.get(page("announcement", announcement.pk)).status_code == 404


def _queries(client):
    with CaptureQueriesContext(connection) as counted:
        client.get(reverse("imuse:home"))
    return len(counted)


class TestList:
    def test_the_newest_first_with_what_is_to_read(self, home, announcement, slot, teacher):
        deliver(write(slot, teacher, subject="Plus récent"))

        rows = home.get(page("announcements")).context["page"]

        assert [str(row.announcement) for row in rows] == ["Plus récent", "Concert du 12"]

    def test_by_pages(self, home, slot, teacher, parent):
        for number in range(21):
            deliver(write(slot, teacher, subject=f"Message {number}"))

        assert "Page 1 sur 2" in home.get(page("announcements")).text
        assert "Message 0<" in home.get(page("announcements") + "?page=2").text

    @pytest.mark.parametrize("count", [1, 3])
    def test_queries_do_not_grow(self, home, slot, teacher, count, django_assert_num_queries):
        for _ in range(count):
            deliver(write(slot, teacher))

        with django_assert_num_queries(6):
            home.get(page("announcements"))

    def test_nothing_yet(self, home):
        assert "Vous n'avez reçu aucun message." in home.get(page("announcements")).text


class TestOne:
    def test_the_text_who_wrote_and_the_files(self, home, announcement):
        text = home.get(page("announcement", announcement.pk)).text

        assert "Cécile Vasseur, aux familles de" in text
        assert "<p>À 18 h.</p>" in text
        assert "programme.pdf" in text

    def test_to_open_it_changes_nothing_the_button_does(self, home, announcement):
        home.get(page("announcement", announcement.pk))
        assert is_read() is None

        answer = home.post(page("read_announcement", announcement.pk), follow=True)

        assert is_read() is not None
        assert "J'ai lu ce message" not in answer.text

    def test_what_looks_like_html_is_text(self, home, slot, teacher):
        found = deliver(write(slot, teacher, text="<script>alert(1)</script> & « té »"))

        text = home.get(page("announcement", found.pk)).text

        assert "&lt;script&gt;alert(1)" in text

    @pytest.mark.parametrize("name", ["announcement", "read_announcement"])
    def test_somebody_else_s_does_not_exist(self, client, stranger, announcement, name):
        client.force_login(stranger)

        answers = {
            getattr(client, method)(page(name, pk)).status_code
            for method in ("get", "post")
            for pk in (announcement.pk, 987_654)
        }

        assert answers <= {404, 405}
        assert is_read() is None

    def test_both_households_have_their_own(self, client, slot, teacher, student, parent):
        """What one has read the other has not."""
        other = GuardianFactory()
        CustodyFactory(student=student, family=other.family, rank=2)
        found = deliver(write(slot, teacher))
        client.force_login(other.user)

        client.post(page("read_announcement", found.pk))

        assert is_read() is None
        assert found.recipients.get(guardian=other).read_at is not None


class TestFile:
    def test_an_attachment_sealed(self, home, announcement):
        file = announcement.files.get()

        answer = home.get(page("announcement_file", file.pk))

        content = b"".join(answer.streaming_content)
        assert (len(content), content[:5]) == (file.size, b"%PDF-")
        assert answer["Content-Disposition"] == 'attachment; filename="programme.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cache-Control"] == "no-store"

    def test_of_somebody_else_or_withdrawn_it_does_not_exist(
        self, client, home, stranger, announcement, teacher
    ):
        address = page("announcement_file", announcement.files.get().pk)
        client.force_login(stranger)
        assert client.get(address).status_code == 404

        services.withdraw(announcement, actor=teacher.user)

        client.force_login(AnnouncementRecipient.objects.get().guardian.user)
        assert client.get(address).status_code == 404

    def test_a_storage_that_fails_says_so(self, home, announcement):
        file = announcement.files.get()
        storages["private"].delete(file.file.name)

        answer = home.get(page("announcement_file", file.pk))

        assert answer.status_code == 503
        assert "Réessayez dans quelques minutes" in answer.text

    def test_no_address_leads_to_the_store(self, announcement):
        file = announcement.files.get()
        with pytest.raises(NotImplementedError):
            _ = file.file.url
        assert file.file.name == f"announcements/{file.pk.hex}"


class TestPreferences:
    def test_in_by_default_out_and_in_again(self, home, parent):
        address = page("message_preferences")
        assert "checked" in home.get(address).text

        home.post(address, {})
        assert NewsRefusal.objects.get().guardian == parent.guardian
        assert "checked" not in home.get(address).text
        home.post(address, {"news": "on"})

        assert not NewsRefusal.objects.exists()

    def test_of_oneself_alone(self, home, family):
        GuardianFactory(family=family)

        home.post(page("message_preferences"), {})

        assert NewsRefusal.objects.count() == 1

    def test_a_teacher_has_none(self, client, teacher):
        client.force_login(teacher.user)

        assert client.get(page("message_preferences")).status_code == 404


class TestUnsubscribe:
    @pytest.fixture
    def address(self, parent):
        address = opting_out.address_of(parent.guardian)
        return address[address.index("/extranet/") :]

    def test_the_link_shows_a_button_that_acts(self, client, address, parent):
        answer = client.get(address)
        assert "Ne plus les recevoir" in answer.text
        assert not NewsRefusal.objects.exists()

        answer = client.post(address)

        assert "C'est enregistré" in answer.text
        assert NewsRefusal.objects.get().guardian == parent.guardian

    def test_the_button_of_a_mail_program_needs_no_page(self, address):
        """RFC 8058: no cookie, no token against forgery."""
        client = Client(enforce_csrf_checks=True)
        answer = client.post(address, {"List-Unsubscribe": "One-Click"})

        assert answer.status_code == 200
        assert NewsRefusal.objects.exists()

    def test_it_names_nobody(self, client, address, parent):
        text = client.get(address).text + client.post(address).text

        assert parent.guardian.last_name not in text
        assert parent.email not in text

    def test_a_link_that_is_not_ours_does_not_exist(self, client, db):
        for token in ("1", "1.faux"):
            assert client.get(page("unsubscribe", token)).status_code == 404
            assert client.post(page("unsubscribe", token)).status_code == 404
        assert not NewsRefusal.objects.exists()

    def test_of_a_responsable_since_merged_it_is_the_one_kept(self, parent, family, director):
        double = GuardianFactory(family=family, user=None)
        token = opting_out.SIGNER.sign(str(double.pk))
        seen = compare(parent.guardian, double).fingerprint
        absorb_guardian(kept=parent.guardian.pk, absorbed=double.pk, actor=director, seen=seen)

        assert opting_out.guardian_of(token) == parent.guardian


def test_mails_of_news_stop_and_the_page_has_them(home, slot, teacher, parent):
    services.want_news(parent.guardian, False)

    found = deliver(write(slot, teacher, kind=LIFE, subject="Vente de gâteaux"))

    assert "Vente de gâteaux" in home.get(page("announcements")).text
    assert found.recipients.get().mail is None
