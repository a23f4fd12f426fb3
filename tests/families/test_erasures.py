"""A household asks to be forgotten, the direction answers; what goes, what stays, and for whom."""

import datetime as dt
from threading import Event
from unittest import mock

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import email_changes as emails
from accounts import mails, throttling
from accounts.enums import MailKind
from accounts.models import Mail, SignInAttempt, User, private_storage
from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV
from billing.models import Invoice
from documents import services as documents
from documents.enums import FileGone
from documents.models import Document
from families import data_exports, erasures, files_to_delete
from families.enums import ErasureState, Fate
from families.holdings import fingerprint_of, holdings, obstacles
from families.lists import FamilyList, GuardianList
from families.models import DataExport, Erasure, ErasureRequest, FileToDelete
from imuse import invariants
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from students import waiting
from students.enums import EnrolmentStatus, WaitingState
from students.lists import CustodyList, StudentList
from students.models import Custody, Enrolment, Hold, SchoolYear, WaitingMove
from students.waiting_order import Rule
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import DocumentTypeFactory, SlotFactory, StudentFactory, TeacherFactory
from tests.families.conftest import OURS, THEIRS
from tests.families.homes import add_guardian, hand_in, make_home, parent_of, photo_type
from tests.families.test_absorbing import absorb
from tests.races import run_together
from tests.test_consistency import OUR_MODELS

TEXT = f"Tout le foyer {OURS}, s'il vous plaît."


def ask(family):
    return erasures.ask(family, text=TEXT, actor=parent_of(family))


def erase(request, director, **changes):
    expected = fingerprint_of(holdings(request.family))
    return erasures.erase(request, **{"expected": expected, "actor": director} | changes)


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refused:
        function(*args, **kwargs)
    return refused.value.error_list[0].code


def years_later():
    """The school years of the tests are over, and so is what they hold."""
    for year in SchoolYear.objects.order_by("starts_on"):
        year.starts_on = year.starts_on.replace(year=year.starts_on.year - 5)
        year.ends_on = year.ends_on.replace(year=year.ends_on.year - 5)
        year.save(update_fields=["starts_on", "ends_on"])


def rows_with(word):
    """By table: how many of its rows say the word, whatever the field."""
    found = {}
    for model in [*OUR_MODELS, LogEntry]:
        text = [serializers.serialize("json", [row]) for row in model.objects.all()]
        if count := sum(word.lower() in row.lower() for row in text):
            found[model._meta.label] = count
    return found


@pytest.fixture
def over(ours, life):
    """The household's dossier and courses are of the past."""
    years_later()
    return ask(ours)


# --- Asking -----------------------------------------------------------------------------------


def test_each_guardian_is_told_at_once(ours, registrar):
    request = ask(ours)

    assert (request.state, request.text) == (ErasureState.OPEN, TEXT)
    told = Mail.objects.filter(kind=MailKind.ERASURE).order_by("pk")
    assert [mail.to for mail in told] == ["claire@blaireau.example", "paul@blaireau.example"]
    assert "Vous avez demandé" in told[0].body
    assert "L'autre responsable" in told[1].body
    assert OURS not in told[1].body.replace("PaulBlaireau Blaireau", "")  # his words stay his


def test_one_at_a_time(ours):
    ask(ours)

    assert code_of(ask, ours) == "already_open"
    twice = ErasureRequest.objects.get()
    twice.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save(force_insert=True)


@pytest.mark.parametrize(
    ("asked", "before"),
    [("2027-01-31", "2027-02-28"), ("2027-05-03", "2027-06-03"), ("2026-12-15", "2027-01-15")],
)
def test_a_month_to_answer(asked, before):
    at = timezone.make_aware(dt.datetime.fromisoformat(f"{asked}T09:00"))

    assert erasures.answer_before(ErasureRequest(asked_at=at)).isoformat() == before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_parents_ask_at_the_same_moment(ours):
    for _ in range(20):
        results = run_together(lambda number: ask(ours), 2)

        assert sorted(isinstance(result, ValidationError) for result in results) == [False, True]
        Mail.objects.all().delete()
        ErasureRequest.objects.all().delete()


def test_whoever_waited_for_an_erasure_asks_for_nothing_more(ours, director):
    """His request was on its way when his account was closed."""
    parent = parent_of(ours)
    erase(ask(ours), director)

    assert code_of(data_exports.ask, ours, actor=parent) == "not_a_guardian"
    assert code_of(erasures.ask, ours, text=TEXT, actor=parent) == "not_a_guardian"


# --- What stands in the way -------------------------------------------------------------------


def test_a_child_who_is_enrolled_keeps_everything(ours, life, director):
    request = ask(ours)

    sentences = [sentence.replace("\u00a0", " ") for sentence in obstacles(ours)]
    assert any("suit le cours « Chœur »" in sentence for sentence in sentences)
    assert any(f"{life.reference} Louise Castor" in sentence for sentence in sentences)
    before = rows_with(OURS)
    assert code_of(erase, request, director) == "obstacle"

    assert rows_with(OURS) == before
    assert not FileToDelete.objects.exists()
    assert ErasureRequest.objects.get().is_open


@pytest.mark.parametrize(
    ("status", "held"),
    [
        (Status.DRAFT, False),
        (Status.SUBMITTED, True),
        (Status.WITHDRAWN, False),
    ],
)
def test_a_dossier_of_the_year_to_come_holds_while_it_may_be_decided(ours, life, status, held):
    Enrolment.objects.update(status=EnrolmentStatus.RELEASED, place=None)
    draft = {"submitted_at": None, "submitted_by": None, "terms": None}
    Reenrolment.objects.update(status=status, **(draft if status == Status.DRAFT else {}))

    assert bool(obstacles(ours)) is held


def test_a_course_given_back_holds_nothing(ours, child, life):
    Reenrolment.objects.update(status=Status.WITHDRAWN)
    assert obstacles(ours)

    Enrolment.objects.update(status=EnrolmentStatus.RELEASED, place=None)

    assert obstacles(ours) == []


def test_what_changed_since_the_preview_is_read_again(ours, over, director):
    expected = fingerprint_of(holdings(ours))
    StudentFactory(family=ours)

    assert code_of(erase, over, director, expected=expected) == "changed"


def test_answered_once(ours, over, director):
    expected = fingerprint_of(holdings(ours))
    erase(over, director)

    assert code_of(erase, over, director, expected=expected) == "decided"
    assert (
        code_of(erasures.answer, over, state=ErasureState.REFUSED, answer="Non.", actor=director)
        == "decided"
    )
    assert Erasure.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_erase_at_the_same_moment(establishment, director):
    for number in range(20):
        request = ask(make_home(f"Famille{number}"))
        expected = fingerprint_of(holdings(request.family))
        results = run_together(
            lambda _, asked=request, seen=expected: erase(asked, director, expected=seen), 2
        )

        refused = [result for result in results if isinstance(result, ValidationError)]
        assert [error.code for error in refused] == ["decided"]
        assert Erasure.objects.count() == number + 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of_student", [False, True])
def test_an_erasure_waits_for_a_piece_about_to_be_kept(ours, director, stored, of_student):
    """Else the piece would come after those that the erasure found, and outlive it."""
    owner = {"student": StudentFactory(family=ours)} if of_student else {"family": ours}
    type_ = photo_type() if of_student else DocumentTypeFactory()
    content = ("a.jpg", make_jpeg()) if of_student else ("a.pdf", make_pdf())
    parent, request = parent_of(ours), ask(ours)
    about_to_be_kept, erased = Event(), Event()

    def keep():
        about_to_be_kept.set()
        erased.wait(timeout=1)  # time enough for an erasure that does not wait

    def play(who):
        if who == 0:
            return documents.hand_in(*content, type=type_, actor=parent, check=keep, **owner)
        expected = fingerprint_of(holdings(ours))
        about_to_be_kept.wait(timeout=30)
        try:
            return erase(request, director, expected=expected)
        finally:
            erased.set()

    piece, refusal = run_together(play, 2)

    assert isinstance(piece, Document)
    assert refusal.code == "changed"
    erase(request, director)
    call_command("purge_personal_data")
    assert stored() == []


@pytest.mark.parametrize("of_student", [False, True])
def test_a_piece_that_arrives_after_an_erasure_is_refused(ours, director, stored, of_student):
    parent, child = parent_of(ours), StudentFactory(family=ours)
    type_ = photo_type() if of_student else DocumentTypeFactory()
    owner = {"student": child} if of_student else {"family": ours}
    erase(ask(ours), director)

    refused = code_of(
        documents.hand_in,
        *("a.jpg" if of_student else "a.pdf", make_jpeg() if of_student else make_pdf()),
        **{"type": type_, "actor": parent, **owner},
    )

    assert refused == "household_gone"
    while files_to_delete.delete_next():
        pass
    assert stored() == []


def test_the_pieces_of_a_child_who_has_another_household_go_on(theirs, ours, child, director):
    erase(ask(ours), director)

    assert hand_in(theirs, type=photo_type(), student=child).student == child


# --- Erasing ----------------------------------------------------------------------------------


def test_nothing_is_left_that_says_who_they_were(ours, over, child, director):
    """But what the books hold of the invoice, and the child, who has another household."""
    LogEntry.objects.log_actions(director.pk, [ours], CHANGE, "Famille Blaireau")
    data_exports.ask(ours, actor=parent_of(ours))
    data_exports.prepare_next()
    assert set(rows_with(OURS)) > {"families.Family", "accounts.Mail", "documents.Document"}

    erase(over, director)
    call_command("send_mails")
    call_command("purge_personal_data")

    assert rows_with(OURS) == {
        "billing.Deposit": 1,
        "billing.Invoice": 1,
        "billing.InvoiceLine": 1,
        "billing.Payment": 1,
        "documents.Document": 1,  # the child's own photo, by the name that they gave to it
    }
    assert list(invariants.violations()) == []


def test_a_child_with_another_household_stays_there(ours, theirs, over, child, director, stored):
    theirs_before = rows_with(THEIRS)
    photo = Document.objects.get(student=child)
    erase(over, director)
    call_command("send_mails")

    assert list(Custody.objects.values_list("student", "family")) == [(child.pk, theirs.pk)]
    child.refresh_from_db()
    assert str(child) == "Louise Castor"
    assert rows_with(THEIRS) == theirs_before
    assert Document.objects.visible_to(parent_of(theirs)).filter(pk=photo.pk).exists()
    theirs_files = Document.objects.exclude(file="").values_list("file", flat=True)
    assert stored() == sorted(theirs_files)
    assert len(stored()) == 2


def test_a_child_of_this_household_alone_is_emptied(ours, director):
    student = StudentFactory(first_name="Zoé", last_name=OURS, family=ours, school="École Blaireau")
    erase(ask(ours), director)

    student.refresh_from_db()
    assert (str(student), student.school, student.birth_date.year) == ("Élève effacé", "", 1900)
    assert student.sort_name == "efface eleve"
    call_command("send_mails")
    call_command("purge_personal_data")
    assert rows_with(OURS) == {}


def test_a_child_who_waited_leaves_the_list_and_the_log_its_place(ours, director):
    """The offer goes on to others; what was decided stays, without its texts."""
    student, other = StudentFactory(family=ours), StudentFactory()
    slot = SlotFactory()
    for each in (student, other):
        waiting.set_wishes(each, slot.course, [slot], actor=None)
    entry, after = (each.waiting_entries.get() for each in (student, other))
    rule, delay = Rule([], slot.course.school_year_id), dt.timedelta(hours=48)
    waiting.remove(after, actor=director, reason="Doublon.")
    waiting.offer_to(entry, slot, rule, delay=delay, actor=director, reason=f"Famille {OURS}.")
    asked = ask(ours)
    told = {each.what.split("\u00a0")[0]: each.count for each in holdings(ours)}

    erase(asked, director)

    assert told["Listes d'attente"] == 1
    assert not Hold.objects.exists()
    moves = WaitingMove.objects.filter(entry=entry).order_by("pk")
    assert [(move.to_state, move.reason) for move in moves] == [
        (WaitingState.WAITING, ""),
        (WaitingState.OFFERED, ""),
        (WaitingState.LEFT, ""),
    ]
    assert WaitingMove.objects.filter(entry=after, reason="Doublon.").exists()
    assert list(invariants.waiting_lists()) == []


def test_accounts_are_closed_and_their_sessions_end(client, ours, director):
    parent = parent_of(ours)
    throttling.begin(parent.username, "10.0.0.1")
    client.force_login(parent)
    assert client.get("/extranet/famille/").status_code == 200

    erase(ask(ours), director)

    assert client.get("/extranet/famille/").status_code == 302
    closed = User.objects.get(pk=parent.pk)
    assert (closed.username, closed.email, closed.is_active) == (
        f"efface.{parent.pk}",
        "",
        False,
    )
    assert not closed.has_usable_password()
    assert not SignInAttempt.objects.exists()


def test_the_doubles_that_were_merged_go_too(client, superuser, ours, director):
    """Their rows, their names in the log of the administration, their accounts closed since."""
    home = make_home(f"{OURS}-bis")
    LogEntry.objects.log_actions(director.pk, [home], CHANGE, "Famille Blaireau")
    absorb(ours, home, actor=director)
    claire, _, double = ours.guardians.order_by("pk")
    LogEntry.objects.log_actions(director.pk, [double], CHANGE, "Blaireau")
    emails.set_email(double.user, f"autre@{OURS}.example")
    closed = double.user
    merge = absorb(claire, double, actor=director, account=claire.user_id)
    request = ask(ours)
    assert {holding.what: holding.count for holding in holdings(ours)}["Comptes\u00a0: fermés"] == 3

    erase(request, director)
    call_command("send_mails")
    call_command("purge_personal_data")

    closed.refresh_from_db()
    assert (closed.username, closed.is_active) == (f"efface.{closed.pk}", False)
    assert rows_with(OURS) == {}
    client.force_login(superuser)
    page = client.get(reverse("admin:families_merge_change", args=[merge.pk]))
    assert "Effacé" in page.content.decode()


def test_the_account_of_a_double_that_is_somebody_elses_by_now_stays(ours, theirs, director):
    twice, claire = add_guardian(ours, "Clara").guardian, parent_of(ours).guardian
    account = twice.user
    absorb(claire, twice, actor=director, account=claire.user_id)
    theirs.guardians.update(user=account)

    erase(ask(ours), director)

    account.refresh_from_db()
    assert account.username == "blaireau.clara"


def test_no_list_taken_out_before_brings_back_what_was_erased(ours, director):
    """« #12 » names there a row without a reference, which an erased one is too."""
    StudentFactory(family=ours, last_name=OURS)
    lists = [FamilyList, GuardianList, StudentList, CustodyList]
    before = [each(director).file_of(each(director).rows(), CSV) for each in lists]
    assert [count for _, count in before] == [1, 2, 1, 1]
    erase(ask(ours), director)

    for list_, (content, _) in zip(lists, before, strict=True):
        report = list_(director).check(read(content))
        assert [bool(line.refusals) for line in report.lines] == [True] * len(report.lines)
        assert list_(director).file_of(list_(director).rows(), CSV)[1] == 0


def test_the_account_of_a_teacher_or_an_agent_is_only_detached(ours, director, registrar):
    teacher, agent = (guardian.user for guardian in ours.guardians.order_by("pk"))
    TeacherFactory(user=teacher)
    agent.is_staff = True
    agent.save(update_fields=["is_staff"])
    found = {holding.what: holding for holding in holdings(ours)}
    assert found["Comptes d'agents ou d'enseignants"].count == 2

    erase(ask(ours), director)

    for user in (teacher, agent):
        user.refresh_from_db()
        assert user.is_active
        assert OURS in user.last_name
        assert not hasattr(User.objects.get(pk=user.pk), "guardian")


def test_what_the_law_keeps_makes_it_partial(ours, over, director):
    request = erase(over, director)

    assert request.state == ErasureState.PARTLY
    assert Invoice.objects.get(family=ours).payer_name == "ClaireBlaireau et PaulBlaireau Blaireau"
    told = Mail.objects.filter(kind=MailKind.ERASURE).exclude(to="").order_by("pk")
    assert [mail.to for mail in told] == ["claire@blaireau.example", "paul@blaireau.example"]
    assert "code de commerce" in told[0].body


def test_without_an_invoice_everything_is_erased(ours, director):
    assert erase(ask(ours), director).state == ErasureState.DONE


def test_the_trace_says_who_when_and_how_many(ours, over, director):
    found = holdings(ours)
    erase(over, director, answer="Comme convenu.")

    trace = Erasure.objects.get()
    over.refresh_from_db()
    assert (trace.actor, trace.at) == (director, over.decided_at)
    assert [line["count"] for line in trace.counts] == [holding.count for holding in found]
    assert OURS not in str(trace.counts)
    assert (over.text, over.answer, over.decided_by) == ("", "Comme convenu.", director)


def test_the_preview_says_what_is_done(ours, over, director):
    """The counts of what it erases or empties are those of the rows that change."""
    found = {(h.what.split("\u00a0")[0], h.fate): h.count for h in holdings(ours)}
    files = Document.objects.exclude(file="").count()
    mails_before = Mail.objects.exclude(to="").count()
    drafts = Invoice.objects.filter(family=ours, status="draft").count()

    erase(over, director)

    assert found["Pièces justificatives", Fate.EMPTIED] == (
        files - Document.objects.exclude(file="").count()
    )
    answers = 2
    assert found["Messages", Fate.EMPTIED] == (
        mails_before - Mail.objects.exclude(to="").count() + answers
    )
    assert found["Brouillons de factures", Fate.ERASED] == drafts == 1
    assert found["Comptes", Fate.EMPTIED] == User.objects.filter(is_active=False).count() == 2
    assert found["Élèves qui ont un autre foyer", Fate.DETACHED] == 1


def test_half_of_it_never_happens(ours, over, director):
    """The last part fails: nothing of the first ones stays."""
    before = rows_with(OURS)

    with (
        mock.patch(
            "families.personal_data._erase_guardian", side_effect=RuntimeError("the server died")
        ),
        pytest.raises(RuntimeError),
    ):
        erase(over, director)

    assert rows_with(OURS) == before
    assert not FileToDelete.objects.exists()
    assert ErasureRequest.objects.get().is_open


def test_a_storage_that_is_down_lets_the_files_go_later(ours, over, director, monkeypatch, stored):
    before = len(stored())

    def fail(*args):
        raise OSError("Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(private_storage()), "delete", fail)
        erase(over, director)
        call_command("send_mails")
    assert len(stored()) == before

    FileToDelete.objects.update(due_at=timezone.now())
    call_command("send_mails")

    assert len(stored()) == before - 1
    assert not FileToDelete.objects.exists()


def test_a_copy_under_way_ends_with_the_household(ours, director, stored):
    """The sender finds its row gone, and leaves no file behind."""
    request = ask(ours)
    data_exports.ask(ours, actor=parent_of(ours))
    save = type(private_storage()).save

    def erased_meanwhile(storage, name, content, **kwargs):
        erase(request, director)
        return save(storage, name, content, **kwargs)

    with mock.patch.object(type(private_storage()), "save", erased_meanwhile):
        data_exports.prepare_next()
    call_command("purge_personal_data")

    assert not DataExport.objects.exists()
    assert stored() == []


def test_the_answer_is_emptied_once_it_has_left(ours, director, mailoutbox):
    erase(ask(ours), director)
    erasures.forget_answers()
    answers = Mail.objects.filter(kind=MailKind.ERASURE, key__contains="answered")
    assert [bool(mail.to) for mail in answers] == [True, True]

    mails.send_due()
    erasures.forget_answers()

    assert len(mailoutbox) == 2
    assert [mail.to for mail in answers.all()] == ["", ""]


def test_an_answer_that_never_leaves_is_emptied_too(ours, director):
    erase(ask(ours), director)
    Mail.objects.exclude(to="").update(attempts=mails.MAX_ATTEMPTS)

    assert erasures.forget_answers() == 2


def test_what_had_not_left_yet_does_not(ours, director, mailoutbox):
    erase(ask(ours), director)
    mails.send_due()

    assert {message.subject for message in mailoutbox} == {"Réponse à votre demande d'effacement"}


def test_invariants_tell_an_erased_household_that_was_written_to_again(ours, director):
    erase(ask(ours), director)
    assert list(invariants.violations()) == []

    ours.guardians.update(email="claire@blaireau.example")

    assert list(invariants.violations()) == [
        f"Le foyer {ours.pk} est effacé et il en reste 2 responsable(s)."
    ]


def test_a_lost_file_of_a_household_that_is_there_is_still_told(ours, life, director):
    now, why = timezone.now(), FileGone.RETENTION
    rows = Document.objects.filter(supplied_pieces__isnull=False)
    rows.update(file="", file_gone_at=now, file_gone_reason=why, removed_at=now)

    assert any("n'a plus ce fichier" in sentence for sentence in invariants.violations())


# --- Answering without erasing ----------------------------------------------------------------


@pytest.mark.parametrize("state", [ErasureState.REFUSED, ErasureState.PARTLY])
def test_refused_or_done_by_hand_is_said_to_the_household(ours, registrar, director, state):
    request = ask(ours)
    Mail.objects.all().delete()

    erasures.answer(request, state=state, answer="Louise est inscrite.", actor=director)

    request.refresh_from_db()
    assert (request.state, request.answer) == (state, "Louise est inscrite.")
    assert (request.text, request.decided_by) == (TEXT, director)
    bodies = [mail.body for mail in Mail.objects.all()]
    assert len(bodies) == 2
    assert all("Louise est inscrite." in body and "www.cnil.fr" in body for body in bodies)
    assert erasures.forget_answers() == 0  # they are still there to read it
    assert ask(ours).is_open


def test_a_refusal_says_why(ours, director):
    request = ask(ours)

    assert (
        code_of(erasures.answer, request, state=ErasureState.REFUSED, answer=" ", actor=director)
        == "answer_required"
    )
