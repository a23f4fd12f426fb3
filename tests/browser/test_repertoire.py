"""The repertoire and the concerts on a phone, with and without JavaScript, and by keyboard."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from students import repertoire
from students.models import RepertoirePiece
from teaching.concerts import services
from teaching.models import ConcertTurn
from tests.browser.test_pages import faults
from tests.factories import (
    ConcertFactory,
    EnrolmentFactory,
    RepertoirePieceFactory,
    SlotFactory,
    make_turn,
)

LONG = "Concerto pour deux violoncelles en sol mineur, RV 531, transcription pour quatre guitares"


@pytest.fixture
def louise(teacher, student):
    slot = SlotFactory(teacher=teacher, places=3, course__name="Ensemble de guitares", room="5")
    first, *others = slot.places.order_by("number")
    for number, place in enumerate(others):
        EnrolmentFactory(student__first_name=f"Élève {number}", course=slot.course, place=place)
    return EnrolmentFactory(student=student, course=slot.course, place=first)


@pytest.fixture
def known(louise):
    """What another student played, by the services: it is suggested."""
    other = EnrolmentFactory(course=louise.course)
    piece = RepertoirePieceFactory(
        student=other.student, composer="J. S. Bach", title="Menuet en sol", course=louise.course
    )
    repertoire.save(piece)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_piece_is_found_then_written(visit, teacher, louise, known, javascript):
    visitor = visit(width=360, javascript=javascript).sign_in_as(teacher.user)
    page = visitor.page
    page.goto(reverse("teacher:slot", args=[louise.slot.pk]))
    page.get_by_role("link", name="Répertoire").click()
    page.get_by_role("link", name="Louise Martin").click()
    page.get_by_role("link", name="Inscrire un morceau").click()
    page.get_by_label("Compositeur").press_sequentially("BACH")
    page.get_by_label("Occasion").fill("Audition")
    if not javascript:
        page.get_by_role("button", name="Chercher ce qui est déjà connu").click()
    page.get_by_role("button", name="J. S. Bach Menuet en sol").click()

    expect(page.get_by_label("Compositeur")).to_have_value("J. S. Bach")
    expect(page.get_by_label("Œuvre")).to_have_value("Menuet en sol")
    expect(page.get_by_label("Occasion")).to_have_value("Audition")
    page.get_by_role("button", name="Inscrire au répertoire").click()

    expect(page.get_by_text("compte un morceau de plus")).to_be_visible()
    piece = RepertoirePiece.objects.get(student=louise.student)
    assert (str(piece), piece.occasion) == ("J. S. Bach, Menuet en sol", "Audition")


def test_what_is_typed_before_the_script_has_come_is_looked_for(visit, teacher, louise, known):
    page = visit(width=360).sign_in_as(teacher.user).page
    held = []
    page.route("**/js/repertoire*.js", lambda route: held.append(route))
    page.goto(reverse("teacher:add_piece", args=[louise.pk]), wait_until="commit")
    page.get_by_label("Compositeur").press_sequentially("BACH")
    expect(page.get_by_role("button", name="Chercher ce qui est déjà connu")).to_be_visible()

    held[0].continue_()

    expect(page.get_by_role("button", name="J. S. Bach Menuet en sol")).to_be_visible()


def test_by_keyboard_alone(visit, teacher, louise, known):
    visitor = visit(width=360).sign_in_as(teacher.user)
    page = visitor.page
    page.goto(reverse("teacher:add_piece", args=[louise.pk]))
    page.get_by_label("Compositeur").focus()
    page.keyboard.type("bach")
    expect(page.locator(".works-told")).to_contain_text("2 suggestions")
    for _ in range(3):  # the work's title, the composer alone, the work
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_label("Œuvre")).to_have_value("Menuet en sol")
    assert page.evaluate("document.activeElement.name") == "movement"
    page.keyboard.press("Enter")
    expect(page.get_by_text("compte un morceau de plus")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_turn_is_proposed_and_refused_first(visit, teacher, louise, javascript):
    concert = ConcertFactory(proposals_until=timezone.localdate())
    visitor = visit(width=360, javascript=javascript).sign_in_as(teacher.user)
    page = visitor.page
    page.goto(reverse("teacher:concerts"))
    page.get_by_role("link", name=concert.title).click()
    page.get_by_role("link", name="Proposer un passage").click()
    page.get_by_label("Louise Martin").check()
    page.get_by_label("Compositeur").fill("Erik Satie")
    page.get_by_label("Œuvre").fill("Je te veux")
    page.get_by_role("button", name="Proposer ce passage").click()

    expect(page.get_by_role("alert")).to_contain_text("Durée")
    expect(page.get_by_label("Louise Martin")).to_be_checked()
    if javascript:  # which axe is
        assert visitor.axe() + ["overflows"] * visitor.overflows() == []
    page.get_by_label("Durée").fill("4")
    page.get_by_role("button", name="Proposer ce passage").click()

    expect(page.get_by_text("Le passage est proposé")).to_be_visible()
    turn = ConcertTurn.objects.get()
    assert [each.enrolment for each in turn.performers.all()] == [louise]


@pytest.mark.parametrize("width", [320, 1280])
def test_every_page(visit, teacher, parent, registrar, student, louise, known, width):
    piece = RepertoirePieceFactory(
        student=student, title=LONG, movement="2. Largo", course=louise.course, teacher=teacher
    )
    draft = ConcertFactory(proposals_until=timezone.localdate())
    turn = make_turn(draft, louise, title=LONG, proposed_by=teacher)
    announced = ConcertFactory(title="Audition de la classe d'ensemble de guitares et amis")
    make_turn(announced, louise, title=LONG, accompanist="Jean Morel, piano")
    make_turn(announced, EnrolmentFactory())
    services.publish(announced, actor=registrar)
    gone = ConcertFactory()
    make_turn(gone, louise)
    services.publish(gone, actor=registrar)
    services.cancel(gone, reason="Salle inondée", actor=registrar)
    played = ConcertFactory(published=True, starts_at=timezone.now() - dt.timedelta(days=1))
    make_turn(played, louise)
    slot = [louise.slot.pk]
    assert (
        faults(
            visit(width=width).sign_in_as(teacher.user),
            [
                reverse("teacher:repertoire_slot", args=slot),
                reverse("teacher:add_to_slot", args=slot),
                reverse("teacher:repertoire", args=[louise.pk]),
                reverse("teacher:piece", args=[piece.pk]),
                reverse("teacher:concerts"),
                reverse("teacher:concert", args=[draft.pk]),
                reverse("teacher:concert", args=[gone.pk]),
                reverse("teacher:propose_turn", args=[draft.pk]),
                reverse("teacher:turn", args=[turn.pk]),
            ],
        )
        == {}
    )
    one = [student.pk]
    assert (
        faults(
            visit(width=width).sign_in_as(parent),
            [
                reverse("imuse:home"),
                reverse("students:repertoire", args=one),
                reverse("teaching:concerts", args=one),
                reverse("teaching:concert", args=[*one, announced.pk]),
                reverse("teaching:concert", args=[*one, gone.pk]),
            ],
        )
        == {}
    )
    agent = visit(width=1280).sign_in_as(registrar)
    assert (
        faults(
            agent,
            [
                reverse("admin:teaching_concert_changelist"),
                reverse("admin:teaching_concert_change", args=[draft.pk]),
                reverse("admin:teaching_concert_publish", args=[draft.pk]),
                reverse("admin:teaching_concert_cancel", args=[announced.pk]),
                reverse("admin:teaching_concert_record", args=[played.pk]),
                reverse("admin:teaching_concertturn_change", args=[turn.pk]),
            ],
        )
        == {}
    )
