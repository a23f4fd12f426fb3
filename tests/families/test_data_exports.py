"""The copy of « Mes données »: what is in it, whose it is, and what no fault may do to it."""

import datetime as dt
import hashlib
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail, private_storage
from billing.instruments.enums import RentalEvent
from documents.models import Document
from families import archives, data_exports, files_to_delete
from families.enums import ExportState
from families.models import DataExport, FileToDelete
from imuse import invariants
from students import waiting
from students.waiting_order import Rule
from tests.factories import (
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    InvoiceLineFactory,
    RentalFactory,
    SlotFactory,
    StudentFactory,
)
from tests.families.conftest import OURS, THEIRS
from tests.families.homes import add_guardian, copy_of, hand_in, make_home, parent_of, read
from tests.races import run_together


def ask(family, reader=None):
    return data_exports.ask(family, actor=reader or parent_of(family))


def later(export):
    """The copy is due now, as if its delay had run out."""
    DataExport.objects.filter(pk=export.pk).update(due_at=timezone.now(), taken_until=None)


def state_of(export):
    export.refresh_from_db()
    return export.state


def delete_files():
    while files_to_delete.delete_next():
        pass


# --- What is in it ----------------------------------------------------------------------------


def test_everything_of_the_household_is_in_it(ours, child, life):
    data, files = copy_of(ours)

    assert list(data) == [
        *["copie", "compte", "foyer", "demandes", "élèves", "documents", "factures"],
        *["tarif", "locations", "horaires fixés", "adresses d'agenda", "évaluations", "auditions"],
        *["absences", "absences annoncées"],
        *["messages du conservatoire", "refus des e-mails de la vie du conservatoire"],
        *["dossiers", "lancements", "rappels", "guichet", "messages"],
    ]
    assert data["compte"]["identifiant"] == "blaireau.claire"
    assert [row["prénom"] for row in data["foyer"]["responsables"]] == [
        "ClaireBlaireau",
        "PaulBlaireau",
    ]
    assert data["foyer"]["adresse"] == "1 rue Blaireau"
    (student,) = data["élèves"]
    assert student["date de naissance"] == child.birth_date.isoformat()
    assert [home["lequel"] for home in student["garde"]] == ["le vôtre", "un autre foyer"]
    assert {row["cours"] for row in student["cours"]} >= {"Chœur", "Chœur, an prochain"}
    assert student["répertoire"][0]["compositeur"] == "Claude Debussy"
    (invoice,) = data["factures"]
    assert (invoice["total (€)"], invoice["lignes"][0]["libellé"]) == ("38.00", "Cours Blaireau")
    assert invoice["paiements"][0]["référence"] == "REF-Blaireau"
    (dossier,) = data["dossiers"]
    assert (dossier["référence"], dossier["état"]) == (life.reference, "déposé")
    assert [choice["réinscription"] for choice in dossier["vœux"]] == [True, True]
    assert len(data["guichet"]) == len(data["lancements"]["premier message"]) == 1
    assert {mail["genre"] for mail in data["messages"]} == {
        "accusé de réception",
        "facture émise",
        "lancement des réinscriptions",
    }
    assert {mail["destinataire"] for mail in data["messages"]} == {"claire@blaireau.example"}


def test_the_files_are_those_of_the_household_and_of_its_students(ours, child, life):
    data, files = copy_of(ours)

    today = timezone.localdate()
    proof = f"documents/Foyer/{today} Avis d_imposition.pdf"
    photo = f"documents/Eleve Louise Castor/{today} Photo d_identite.jpg"
    assert sorted(files) == ["LISEZ-MOI.txt", photo, proof, "donnees.json"]
    assert [row["fichier"] for row in data["documents"]] == [proof, photo]
    for row in data["documents"]:
        document = Document.objects.get(name=row["nom du fichier"])
        assert hashlib.sha256(files[row["fichier"]]).hexdigest() == document.sha256
    first = data["documents"][0]
    assert (first["envoyé par"], first["examen"]) == ("vous", "refusée")
    assert first["examens"][0]["précision"] == "Pièce Blaireau."
    assert [row["par"] for row in first["consultations"]] == ["l'administration"]


def test_nothing_of_the_other_household_is_in_it(ours, theirs, child, life, registrar):
    """Neither a word, nor a number, nor an agent's name, in any byte of any file."""
    data, files = copy_of(ours)

    secrets = [THEIRS, THEIRS.lower(), "06 99 88 77 66", "03 99 88 77 66", registrar.username]
    everything = "\n".join([*files, *(content.decode("latin-1") for content in files.values())])
    assert [secret for secret in secrets if secret in everything] == []
    assert data["dossiers"][0]["déposé par"] == "une autre personne"
    theirs_data, theirs_files = copy_of(theirs)
    told = "\n".join(content.decode("latin-1") for content in theirs_files.values())
    assert THEIRS in told  # the secrets are where they should be
    assert theirs_data["dossiers"][0]["déposé par"] == "vous"


def test_what_a_student_waits_for_is_in_it_and_nobody_else_in_line(ours, theirs, child, registrar):
    slot = SlotFactory()
    other = StudentFactory(first_name="Ragondin")
    waiting.set_wishes(other, slot.course, [slot], actor=None)
    waiting.set_wishes(child, slot.course, [slot], actor=parent_of(theirs))
    rule = Rule([], slot.course.school_year_id)
    waiting.offer_to(
        child.waiting_entries.get(),
        slot,
        rule,
        delay=dt.timedelta(hours=48),
        actor=registrar,
        reason="Erreur de saisie.",
    )

    data, files = copy_of(ours)

    (wish,) = data["élèves"][0]["listes d'attente"]
    assert (wish["créneau"], wish["état"]) == (str(slot), "place proposée")
    assert [
        (move["devient"], move["par"], move["rang"], move["élèves en attente"], move["motif"])
        for move in wish["mouvements"]
    ] == [
        ("en attente", "une autre personne", None, None, ""),
        ("place proposée", "l'administration", 2, 2, "Erreur de saisie."),
    ]
    assert "Ragondin" not in "\n".join(content.decode("latin-1") for content in files.values())


def test_of_another_guardian_of_the_household_the_account_stays_his(ours, child, life):
    other = add_guardian(ours, "Zoé")
    data, _ = copy_of(ours, reader=other)

    assert data["compte"]["identifiant"] == other.username
    assert "claire@blaireau.example" in str(data["foyer"])  # as on the page « Famille »
    assert data["messages"] == []
    assert data["demandes"]["copies"] == [
        {**data["demandes"]["copies"][0], "état": "en préparation"}
    ]


def test_mails_are_found_by_person_and_never_by_address(ours, theirs, child, life):
    """Writing the other parent's address on one's own page gives none of his mails."""
    parent = parent_of(ours)
    stolen = theirs.guardians.get().email
    ours.guardians.filter(user=parent).update(email=stolen)
    type(parent).objects.filter(pk=parent.pk).update(email=stolen)

    data, _ = copy_of(ours)

    assert {mail["destinataire"] for mail in data["messages"]} == {"claire@blaireau.example"}


def test_names_are_made_safe_and_never_twice_the_same(ours, child):
    odd = DocumentTypeFactory(name="Pièce / d'été : « QF »?")
    other = DocumentTypeFactory(name="PIÈCE / d'été : « QF »?")
    third = DocumentTypeFactory(name="pièce / d'été : « QF »?")
    for each in (odd, other, third):
        hand_in(ours, type=each)

    data, files = copy_of(ours)

    day = timezone.localdate()
    written = [name.removeprefix(f"documents/Foyer/{day} ") for name in files if "Foyer" in name]
    assert written == [
        "Piece _ d_ete _ _ QF _.pdf",
        "PIECE _ d_ete _ _ QF _ (2).pdf",
        "piece _ d_ete _ _ QF _ (3).pdf",
    ]
    assert [row["fichier"] for row in data["documents"]] == [n for n in files if "Foyer" in n]


def test_a_file_that_is_missing_is_told_and_the_rest_is_there(ours, child):
    lost, kept = (hand_in(ours, type=DocumentTypeFactory()) for _ in range(2))
    private_storage().delete(lost.file.name)

    data, files = copy_of(ours)

    assert [row["fichier"] for row in data["documents"]] == [
        archives.MISSING,
        next(name for name in files if name.startswith("documents/")),
    ]


def test_the_readme_tells_each_section(ours, child):
    data, files = copy_of(ours)

    readme = files["LISEZ-MOI.txt"].decode()
    told = {line[2:].split("\u00a0: ")[0] for line in readme.splitlines() if line.startswith("- ")}
    assert told == set(data) - {"copie"}


def test_its_queries_do_not_grow_with_the_rows(establishment, registrar, count_queries):
    made = []
    for word, rows in (("Une", 1), ("Trois", 3)):
        family = make_home(word)
        for student in StudentFactory.create_batch(rows, family=family):
            course = EnrolmentFactory(student=student).course
            waiting.set_wishes(student, course, [SlotFactory(course=course)], actor=None)
            document = DocumentFactory(family=family)
            document.accesses.create(actor=registrar)
            InvoiceLineFactory(invoice__family=family)
            RentalFactory(family=family, student=student).moves.create(
                actor=registrar, event=RentalEvent.RESERVED
            )
        ask(family)
        made.append(count_queries(data_exports.prepare_next))

    assert made[0] == made[1] <= 69


# --- Asking -----------------------------------------------------------------------------------


def test_one_waits_at_a_time(ours):
    assert ask(ours) == ask(ours)

    twice = DataExport.objects.get()
    twice.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save(force_insert=True)


def test_three_a_day(ours):
    for _ in range(data_exports.PER_DAY):
        ask(ours)
        data_exports.prepare_next()

    with pytest.raises(ValidationError) as refused:
        ask(ours)
    assert refused.value.code == "too_many"

    DataExport.objects.update(asked_at=timezone.now() - dt.timedelta(hours=25))
    assert ask(ours).is_waiting
    assert ask(ours, add_guardian(ours, "Zoé")).is_waiting  # each has his own three


# --- Making it --------------------------------------------------------------------------------


def test_once_ready_a_mail_says_so_and_nothing_more(ours):
    export = ask(ours)
    data_exports.prepare_next()

    assert state_of(export) == ExportState.READY
    assert export.expires_at - timezone.now() > dt.timedelta(days=6, hours=23)
    mail = Mail.objects.get(kind=MailKind.DATA_EXPORT)
    assert mail.to == "claire@blaireau.example"
    assert "/extranet/famille/mes-donnees/\n" in mail.body
    assert str(export.key) not in mail.body
    with export.file.open() as stored:
        content = stored.read()
    assert (export.size, export.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert data_exports.prepare_next() is None


def test_a_new_one_takes_the_place_of_the_former(ours, stored):
    former = ask(ours)
    data_exports.prepare_next()
    newer = ask(ours)
    data_exports.prepare_next()
    delete_files()

    assert (state_of(former), state_of(newer)) == (ExportState.EXPIRED, ExportState.READY)
    assert stored() == [newer.file.name]


def test_send_mails_makes_it_and_sends_the_mail(ours, mailoutbox):
    export = ask(ours)

    call_command("send_mails")

    assert state_of(export) == ExportState.READY
    assert [message.subject for message in mailoutbox] == ["La copie de vos données est prête"]


class Killed(BaseException):
    """What a process that dies feels like: no handler runs."""


@pytest.mark.parametrize("where", ["write", "save", "finish"])
def test_a_sender_killed_at_any_moment_leaves_it_to_the_next(ours, monkeypatch, stored, where):
    export = ask(ours)
    hand_in(ours, type=DocumentTypeFactory())
    target, name = {
        "write": (archives, "write"),
        "save": (type(private_storage()), "save"),
        "finish": (data_exports, "_finish"),
    }[where]

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(target, name, die)
        with pytest.raises(Killed):
            data_exports.prepare_next()
    assert state_of(export) == ExportState.WAITING
    assert data_exports.prepare_next() is None  # the hold has not run out

    after = timezone.now() + data_exports.HOLD
    data_exports.prepare_next(after)
    delete_files()

    assert state_of(export) == ExportState.READY
    assert export.attempts == 2
    assert [name for name in stored() if name.startswith("exports/")] == [export.file.name]
    assert Mail.objects.filter(kind=MailKind.DATA_EXPORT).count() == 1


def test_one_that_kills_its_senders_is_given_up(ours):
    export = ask(ours)
    DataExport.objects.update(attempts=data_exports.MAX_ATTEMPTS)

    data_exports.prepare_next()

    assert state_of(export) == ExportState.FAILED


def test_a_slow_sender_overtaken_by_another_loses_its_file(ours, monkeypatch, stored):
    """The hold ran out while it was writing: the other's copy is the one that counts."""
    export = ask(ours)
    write = archives.write

    def slowly(target, copy, **kwargs):
        monkeypatch.setattr(archives, "write", write)
        data_exports.prepare_next(timezone.now() + data_exports.HOLD)
        write(target, copy, **kwargs)

    monkeypatch.setattr(archives, "write", slowly)
    data_exports.prepare_next()
    delete_files()

    assert (state_of(export), export.attempts) == (ExportState.READY, 2)
    assert stored() == [export.file.name]
    assert export.file.name.endswith("-2")
    assert Mail.objects.filter(kind=MailKind.DATA_EXPORT).count() == 1


def test_a_long_copy_keeps_its_hold_alive(ours, monkeypatch):
    export = ask(ours)
    hand_in(ours, type=DocumentTypeFactory())
    monkeypatch.setattr(data_exports, "BEAT", dt.timedelta(0))
    start = timezone.now()
    holds = []
    open_file = type(private_storage())._open

    def watch(*args):
        holds.append(DataExport.objects.get().taken_until)
        return open_file(*args)

    monkeypatch.setattr(type(private_storage()), "_open", watch)
    with mock.patch.object(timezone, "now", return_value=start):
        data_exports._take(start)
    data_exports._prepare(DataExport.objects.get())

    assert state_of(export) == ExportState.READY
    assert holds[0] > start + data_exports.HOLD


def test_a_storage_that_is_down_is_tried_later_and_later_then_told(ours, broken_private, stored):
    export = ask(ours)
    waits = []
    for _ in data_exports.DELAYS:
        before = timezone.now()
        data_exports.prepare_next()
        assert state_of(export) == ExportState.WAITING
        waits.append(round((export.due_at - before).total_seconds() / 60))
        assert data_exports.prepare_next() is None
        later(export)
    data_exports.prepare_next()

    assert waits == [1, 5, 15, 60, 240]
    assert state_of(export) == ExportState.FAILED
    mail = Mail.objects.get(kind=MailKind.DATA_EXPORT)
    assert mail.subject == "La copie de vos données n'a pas pu être préparée"
    assert ask(ours).is_waiting


def test_a_storage_that_comes_back_is_enough(ours, storage_switch):
    export = ask(ours)
    storage_switch.down()
    data_exports.prepare_next()
    storage_switch.up()
    later(export)
    data_exports.prepare_next()

    assert state_of(export) == ExportState.READY


def test_a_database_that_goes_away_is_the_senders_to_tell(ours, monkeypatch):
    export = ask(ours)

    def away(*args, **kwargs):
        raise OperationalError("the database is away")

    monkeypatch.setattr(archives, "write", away)
    with pytest.raises(OperationalError):
        data_exports.prepare_next()

    assert state_of(export) == ExportState.WAITING


def test_no_transaction_is_open_while_files_are_copied(ours, monkeypatch):
    ask(ours)
    hand_in(ours, type=DocumentTypeFactory())
    depth = len(transaction.get_connection().savepoint_ids)  # the test's own transaction
    seen = []
    real = archives.write

    def look(*args, **kwargs):
        seen.append(len(transaction.get_connection().savepoint_ids) - depth)
        real(*args, **kwargs)

    monkeypatch.setattr(archives, "write", look)
    data_exports.prepare_next()

    assert seen == [0]


def test_nobody_there_any_more_to_read_it(ours, stored):
    export = ask(ours)
    ours.guardians.filter(user=parent_of(ours)).update(family=make_home("Autre"))

    data_exports.prepare_next()

    assert state_of(export) == ExportState.FAILED
    assert stored() == []
    assert not Mail.objects.filter(kind=MailKind.DATA_EXPORT).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_senders_make_one(establishment):
    family = make_home(OURS)
    for _ in range(20):
        export = ask(family)
        results = run_together(lambda number: data_exports.prepare_next(), 2)

        assert not [result for result in results if isinstance(result, Exception)]
        assert state_of(export) == ExportState.READY
        assert export.attempts == 1
        read(export)
        DataExport.objects.update(asked_at=timezone.now() - dt.timedelta(days=2))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_ask_for_one(establishment):
    family = make_home(OURS)
    for _ in range(20):
        results = run_together(lambda number: ask(family), 2)

        assert results[0] == results[1]
        assert DataExport.objects.filter(state=ExportState.WAITING).count() == 1
        data_exports.prepare_next()
        DataExport.objects.update(asked_at=timezone.now() - dt.timedelta(days=2))


# --- Its end ----------------------------------------------------------------------------------


def test_the_nightly_command_forgets_what_is_over(ours, stored, capsys):
    export = ask(ours)
    data_exports.prepare_next()
    call_command("purge_personal_data")
    assert state_of(export) == ExportState.READY

    DataExport.objects.update(expires_at=timezone.now())
    call_command("purge_personal_data")

    assert state_of(export) == ExportState.EXPIRED
    assert stored() == []
    assert "Copies expirées : 1." in capsys.readouterr().out
    assert list(invariants.violations()) == []


def test_a_file_that_the_storage_will_not_delete_is_tried_again(ours, stored, monkeypatch):
    ask(ours)
    data_exports.prepare_next()
    DataExport.objects.update(expires_at=timezone.now())

    def fail(*args):
        raise OSError("Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(private_storage()), "delete", fail)
        call_command("purge_personal_data")
    assert len(stored()) == 1
    row = FileToDelete.objects.get()
    assert (row.attempts, row.due_at > timezone.now()) == (1, True)

    FileToDelete.objects.update(due_at=timezone.now())
    call_command("send_mails")

    assert stored() == []
    assert not FileToDelete.objects.exists()
