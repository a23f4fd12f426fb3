"""Where the staff prepares, announces, cancels and records a concert."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from students.models import RepertoirePiece
from teaching.concerts import services
from teaching.enums import ConcertState
from teaching.models import Concert, ConcertTurn
from tests.factories import (
    ConcertFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    make_turn,
)
from tests.queries import count_queries


@pytest.fixture
def desk(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def louise(parent, student):
    return EnrolmentFactory(student=student)


@pytest.fixture
def concert(establishment):
    return ConcertFactory()


@pytest.fixture
def announced(concert, louise, registrar):
    make_turn(concert, louise)
    services.publish(concert, actor=registrar)
    Mail.objects.all().delete()
    concert.refresh_from_db()
    return concert


def page(name, *keys):
    return reverse(f"admin:teaching_{name}", args=keys)


def typed(concert=None, days=10, **fields):
    starts_at = timezone.localtime() + dt.timedelta(days=days)
    return {
        "establishment": EstablishmentFactory().pk,
        "title": "Audition de Noël",
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
        "place": "Auditorium",
        "proposals_until": f"{timezone.localdate():%Y-%m-%d}",
        **(programme(*concert.turns.all()) if concert else {}),
        **fields,
    }


def programme(*turns, delete=(), added=()):
    rows = {
        "turns-TOTAL_FORMS": len(turns) + len(added),
        "turns-INITIAL_FORMS": len(turns),
        "moves-TOTAL_FORMS": 0,
        "moves-INITIAL_FORMS": 0,
    }
    for number, turn in enumerate([*turns, *added]):
        for name in ["position", "composer", "title", "minutes"]:
            rows[f"turns-{number}-{name}"] = getattr(turn, name) or ""
        rows[f"turns-{number}-id"] = turn.pk or ""
        if turn in delete:
            rows[f"turns-{number}-DELETE"] = "on"
    return rows


def performers(turn, *enrolments, delete=()):
    there = list(turn.performers.all())
    names = ["position", "composer", "title", "movement", "minutes", "accompanist"]
    rows = {name: getattr(turn, name) for name in names}
    rows |= {
        "performers-TOTAL_FORMS": len(there) + len(enrolments),
        "performers-INITIAL_FORMS": len(there),
    }
    for number, each in enumerate(there):
        rows[f"performers-{number}-id"] = each.pk
        rows[f"performers-{number}-enrolment"] = each.enrolment_id
        if each in delete:
            rows[f"performers-{number}-DELETE"] = "on"
    for number, enrolment in enumerate(enrolments, start=len(there)):
        rows[f"performers-{number}-enrolment"] = enrolment.pk
    return rows


class TestForm:
    def test_a_draft_is_made_in_the_year_of_its_day(self, desk):
        SchoolYearFactory()
        desk.post(page("concert_add"), typed())

        concert = Concert.objects.get()
        assert concert.state == ConcertState.DRAFT
        assert concert.school_year == SchoolYearFactory()

    @pytest.mark.parametrize(
        ("fields", "name", "sentence"),
        [
            ({"days": 4000}, "starts_at", "Aucune année scolaire"),
            ({"starts_at": "demain"}, "starts_at", "date et une heure valides"),
            ({"proposals_until": "2199-01-01"}, "proposals_until", "finissent avant"),
            ({"place": ""}, "place", "obligatoire"),
        ],
    )
    def test_a_refusal_stands_beside_the_field(self, desk, fields, name, sentence):
        SchoolYearFactory()
        answer = desk.post(page("concert_add"), typed(**fields))

        errors = answer.context["adminform"].form.errors
        assert list(errors) == [name]
        assert sentence in " ".join(errors[name])
        assert not Concert.objects.exists()

    def test_the_programme_is_ordered(self, desk, concert, louise):
        first, second = make_turn(concert, louise), make_turn(concert, louise, title="Sonate")
        first.position, second.position = 2, 1

        desk.post(page("concert_change", concert.pk), typed(**programme(first, second)))

        assert [turn.title for turn in concert.turns.all()] == ["Sonate", "Gymnopédie n° 1"]
        assert {turn.edition for turn in concert.turns.all()} == {2}  # an older page is stale

    def test_a_rank_left_empty_is_the_next_one(self, desk, concert, louise):
        first = make_turn(concert, louise)
        added = [ConcertTurn(composer="Satie", title=each, minutes=2) for each in ("Un", "Deux")]

        desk.post(page("concert_change", concert.pk), typed(**programme(first, added=added)))

        rows = concert.turns.values_list("title", "position")
        assert list(rows) == [("Gymnopédie n° 1", 1), ("Un", 2), ("Deux", 3)]

    def test_one_that_had_a_rank_keeps_one(self, desk, concert, louise):
        first = make_turn(concert, louise)
        first.position = None

        answer = desk.post(page("concert_change", concert.pk), typed(**programme(first)))

        [formset, _] = answer.context["inline_admin_formsets"]
        assert list(formset.formset.errors[0]) == ["position"]

    def test_moved_families_are_told(self, desk, announced, louise):
        desk.post(page("concert_change", announced.pk), typed(announced, days=12))

        [mail] = Mail.objects.filter(kind=MailKind.CONCERT)
        assert "nouvelle date ou nouveau lieu" in mail.subject

    def test_not_into_the_past(self, desk, announced):
        sent = typed(announced, days=-1, proposals_until="")

        answer = desk.post(page("concert_change", announced.pk), sent)

        assert list(answer.context["adminform"].form.errors) == ["starts_at"]

    def test_a_turn_removed_once_announced_is_told(self, desk, announced, louise):
        [turn] = announced.turns.all()
        unchanged = {
            "title": announced.title,
            "place": announced.place,
            "starts_at": f"{timezone.localtime(announced.starts_at):%Y-%m-%dT%H:%M}",
        }

        desk.post(
            page("concert_change", announced.pk),
            typed(**unchanged, **programme(turn, delete=[turn])),
        )

        [mail] = Mail.objects.filter(kind=MailKind.CONCERT)
        assert "Louise ne joue plus" in mail.subject

    def test_cancelled_it_is_read_only(self, desk, announced, registrar):
        services.cancel(announced, reason="Motif", actor=registrar)

        assert desk.post(page("concert_change", announced.pk), typed()).status_code == 403
        assert desk.get(page("concert_change", announced.pk)).status_code == 200

    def test_what_was_announced_is_not_deleted(self, desk, announced):
        assert desk.post(page("concert_delete", announced.pk), {"post": "yes"}).status_code == 403
        assert Concert.objects.exists()

    def test_a_draft_goes_with_its_programme(self, desk, concert, louise):
        make_turn(concert, louise)

        desk.post(page("concert_delete", concert.pk), {"post": "yes"})

        assert not Concert.objects.exists()
        assert not ConcertTurn.objects.exists()


class TestTurn:
    def test_who_plays(self, desk, concert, louise):
        turn = make_turn(concert)

        desk.post(page("concertturn_change", turn.pk), performers(turn, louise))

        assert [each.enrolment for each in turn.performers.all()] == [louise]
        turn.refresh_from_db()
        assert turn.edition == 2

    def test_once_announced_whoever_comes_in_is_told(self, desk, announced, louise):
        turn = make_turn(announced)
        zoe = EnrolmentFactory(student__family=louise.student.families.get())

        desk.post(page("concertturn_change", turn.pk), performers(turn, zoe))

        [mail] = Mail.objects.filter(kind=MailKind.CONCERT)
        assert f"{zoe.student.first_name} joue" in mail.subject

    def test_and_whoever_goes_out(self, desk, announced):
        turn = announced.turns.get()
        [gone] = turn.performers.all()

        desk.post(page("concertturn_change", turn.pk), performers(turn, delete=[gone]))

        [mail] = Mail.objects.filter(kind=MailKind.CONCERT)
        assert "Louise ne joue plus" in mail.subject

    def test_deleted_too(self, desk, announced):
        turn = announced.turns.get()

        desk.post(page("concertturn_delete", turn.pk), {"post": "yes"})

        [mail] = Mail.objects.filter(kind=MailKind.CONCERT)
        assert "Louise ne joue plus" in mail.subject

    @pytest.mark.parametrize("where", ["site", "year"])
    def test_nobody_of_another_site_or_year(self, desk, concert, where):
        turn = make_turn(concert)
        other = EnrolmentFactory(
            **{
                "site": {"course__establishment": EstablishmentFactory(name="Annexe")},
                "year": {"course__school_year": SchoolYearFactory(offset=-1)},
            }[where]
        )

        answer = desk.post(page("concertturn_change", turn.pk), performers(turn, other))

        [inline] = answer.context["inline_admin_formsets"]
        assert "enrolment" in inline.formset.errors[0]
        assert not turn.performers.exists()


class TestSteps:
    def test_announced(self, desk, concert, louise):
        make_turn(concert, louise)
        text = desk.get(page("concert_publish", concert.pk)).text
        assert "Louise Martin" in text
        assert "Durée totale" in text

        answer = desk.post(page("concert_publish", concert.pk), follow=True)

        concert.refresh_from_db()
        assert concert.state == ConcertState.PUBLISHED
        assert "les familles reçoivent un message" in answer.text
        assert Mail.objects.filter(kind=MailKind.CONCERT).count() == 1

    def test_an_empty_one_is_refused_with_a_sentence(self, desk, concert):
        answer = desk.post(page("concert_publish", concert.pk))

        assert "Le programme est vide" in answer.text
        concert.refresh_from_db()
        assert concert.state == ConcertState.DRAFT

    def test_cancelled_with_a_reason(self, desk, announced):
        answer = desk.post(page("concert_cancel", announced.pk), {"reason": ""})
        assert "reason" in answer.context["form"].errors

        desk.post(page("concert_cancel", announced.pk), {"reason": "Salle inondée"})

        announced.refresh_from_db()
        assert (announced.state, announced.cancel_reason) == ("cancelled", "Salle inondée")
        assert Mail.objects.filter(kind=MailKind.CONCERT).count() == 1

    def test_recorded_once_it_took_place(self, desk, announced, louise):
        answer = desk.post(page("concert_record", announced.pk))
        assert "une fois qu&#x27;elle a eu lieu" in answer.text
        Concert.objects.update(starts_at=timezone.now() - dt.timedelta(hours=2))

        for _ in range(2):
            desk.post(page("concert_record", announced.pk))

        assert RepertoirePiece.objects.get().student == louise.student

    def test_the_page_offers_what_may_be_done(self, desk, concert, louise, registrar):
        def offered():
            text = desk.get(page("concert_change", concert.pk)).text
            names = ("publish", "cancel", "record")
            return {name for name in names if page(f"concert_{name}", concert.pk) in text}

        make_turn(concert, louise)
        assert offered() == {"publish"}
        services.publish(concert, actor=registrar)
        assert offered() == {"cancel"}
        Concert.objects.update(starts_at=timezone.now() - dt.timedelta(hours=2))
        assert offered() == {"record"}

    def test_the_programme_is_printed(self, desk, concert, louise):
        make_turn(concert, louise)

        answer = desk.get(page("concert_pdf", concert.pk))

        assert answer.content.startswith(b"%PDF")

    def test_not_those_of_another_site(self, desk, louise):
        other = ConcertFactory(establishment=EstablishmentFactory(name="Annexe"))
        turn = make_turn(other)

        for name in ("publish", "cancel", "record", "pdf"):
            assert desk.get(page(f"concert_{name}", other.pk)).status_code == 404
        assert desk.post(page("concert_publish", other.pk)).status_code == 404
        assert desk.get(page("concertturn_change", turn.pk)).status_code == 302

    @pytest.mark.parametrize("name", ["concert", "concertturn"])
    def test_the_list_costs_the_same_for_one_as_for_three(self, desk, louise, name):
        make_turn(ConcertFactory(), louise)
        one = count_queries(desk, page(f"{name}_changelist"))
        for _ in range(2):
            make_turn(ConcertFactory(), louise)

        assert count_queries(desk, page(f"{name}_changelist")) == one
