"""Two rows that were one: what moves, what gives way, and what is never merged."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.enums import MailKind
from accounts.mails import MAX_ATTEMPTS
from accounts.models import Mail, User
from billing import services as billing
from documents.enums import Verdict
from documents.models import Document
from documents.services import hand_in
from families import absorbing, erasures
from families.absorbing import Follower, compare, relations_to
from families.enums import MergeKind
from families.holdings import mails_to
from families.invitations import invite
from families.models import Family, Guardian, Invitation, Merge
from imuse import invariants
from reenrolment.enums import ReminderOutcome
from reenrolment.models import (
    AssistedSession,
    Launch,
    LaunchMail,
    LaunchResend,
    PieceReminder,
    ReminderLine,
    RequestedPiece,
    Transition,
)
from reenrolment.services import launches
from students.models import Custody
from tests.documents.builders import make_pdf
from tests.factories import (
    CampaignFactory,
    CommuneFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    StudentFactory,
    TeacherFactory,
    UserFactory,
)
from tests.races import run_together
from tests.reenrolment.conftest import make_case

FOLLOWERS = {Family: settings.FAMILY_FOLLOWERS, Guardian: settings.GUARDIAN_FOLLOWERS}


@pytest.fixture
def double(family):
    """The same household, entered a second time."""
    return FamilyFactory(
        name="Martin",
        address="14 rue des Anges",
        address_more="Bâtiment B",
        commune=CommuneFactory(insee_code="59512", postal_code="59100", name="Roubaix"),
    )


def absorb(kept, absorbed, *, actor, **chosen):
    service = absorbing.absorb_family if type(kept) is Family else absorbing.absorb_guardian
    kept, absorbed = (type(row).objects.get(pk=row.pk) for row in (kept, absorbed))
    seen = chosen.pop("seen", None) or compare(kept, absorbed).fingerprint
    return service(kept=kept.pk, absorbed=absorbed.pk, actor=actor, seen=seen, **chosen)


def refusal(*rows, **options):
    with pytest.raises(ValidationError) as refused:
        absorb(*rows, **options)
    return refused.value.code


def read(kept, absorbed):
    return [(line.text, line.warns) for line in compare(kept, absorbed).lines]


def all_is_well():
    return list(invariants.violations()) == []


@pytest.mark.parametrize("model", FOLLOWERS, ids=lambda model: model.__name__)
def test_every_relation_is_in_the_hands_of_a_follower(model):
    """A new foreign key to a household, or a responsable, says what becomes of it."""
    handled = [name for path in FOLLOWERS[model] for name in import_string(path).relations]

    assert sorted(handled) == sorted(relations_to(model))


def test_a_relation_that_no_follower_handles_stops_the_merge(family, double, registrar, settings):
    """Nothing is deleted with the double: the database protects what was forgotten."""
    settings.FAMILY_FOLLOWERS = [
        path for path in settings.FAMILY_FOLLOWERS if "billing" not in path
    ]
    InvoiceLineFactory(invoice__family=double)

    assert refusal(family, double, actor=registrar) == "held"
    assert Family.objects.filter(pk=double.pk).exists()


def test_followers_say_nothing_unless_they_do():
    with pytest.raises(NotImplementedError):
        Follower().absorb(None, None)


class TestFamilies:
    def test_all_of_it_follows(self, family, parent, student, double, registrar, director):
        other = GuardianFactory(family=double, first_name="Paul")
        child = StudentFactory(first_name="Zoé", family=double)
        invoice = billing.issue(InvoiceLineFactory(invoice__family=double).invoice, actor=director)
        draft = InvoiceLineFactory(invoice__family=double).invoice
        document = DocumentFactory(family=double)
        session = AssistedSession.objects.create(
            agent=registrar,
            student=child,
            family=double,
            started_at=timezone.now(),
            ends_at=timezone.now(),
        )
        launch = Launch.objects.create(
            campaign=CampaignFactory(), actor=registrar, at=timezone.now()
        )
        resend = LaunchResend.objects.create(
            launch=launch, family=double, actor=registrar, at=timezone.now()
        )
        payer = (invoice.payer_name, invoice.payer_address)

        merge = absorb(family, double, actor=registrar)

        for row in (other, draft, invoice, document, session, resend):
            row.refresh_from_db()
            assert row.family == family
        assert (invoice.payer_name, invoice.payer_address) == payer
        assert set(family.students.all()) == {student, child}
        assert not Family.objects.filter(pk=double.pk).exists()
        assert merge.family == family
        assert all_is_well()

    def test_of_two_reminders_on_one_day_the_kept_ones_stays(self, family, double, registrar):
        campaign, now = CampaignFactory(), timezone.now()
        reminders = [
            PieceReminder.objects.create(campaign=campaign, actor=registrar, planned_for=now)
            for _ in range(3)
        ]
        today = {"outcome": ReminderOutcome.SENT, "day": timezone.localdate(), "done_at": now}
        kept = ReminderLine.objects.create(reminder=reminders[0], family=family, **today)
        ReminderLine.objects.create(reminder=reminders[1], family=double, **today)
        ReminderLine.objects.create(reminder=reminders[0], family=double)
        alone = ReminderLine.objects.create(reminder=reminders[2], family=double)

        absorb(family, double, actor=registrar)

        assert set(family.reminder_lines.all()) == {kept, alone}
        assert ReminderLine.objects.count() == 2

    def test_what_the_kept_one_says_stays(self, family, double, registrar):
        absorb(family, double, actor=registrar)

        family.refresh_from_db()
        assert (family.address, family.address_more, family.commune.name) == (
            "12 rue des Anges",
            "",
            "Tourcoing",
        )

    def test_the_log_keeps_who_when_and_both_as_they_were(self, family, double, registrar):
        child = StudentFactory(first_name="Zoé", family=double)
        custody = Custody.objects.get(student=child)

        merge = absorb(family, double, actor=registrar)

        assert (merge.kind, merge.actor) == (MergeKind.FAMILY, registrar)
        assert (merge.kept_key, merge.absorbed_key) == (family.pk, double.pk)
        assert ["adresse", "12 rue des Anges", "14 rue des Anges"] in merge.details["fields"]
        assert merge.details["lines"] == ["L'élève Zoé Martin rejoint le foyer."]
        assert merge.details["moved"] == {"students.Custody.family": [str(custody.pk)]}
        assert timezone.now() - merge.at < dt.timedelta(minutes=1)

    def test_the_person_of_the_double_sees_the_households_pages(
        self, client, family, student, double, registrar
    ):
        user = GuardianFactory(family=double, first_name="Paul").user
        client.force_login(user)
        page = reverse("students:identity", args=[student.pk])
        assert client.get(page).status_code == 404

        absorb(family, double, actor=registrar)

        assert client.get(page).status_code == 200

    @pytest.mark.parametrize("swapped", [False, True])
    def test_never_the_two_households_of_one_child(
        self, family, student, double, registrar, swapped
    ):
        """Not even on the page: it would show one agent's mistake to the other parent."""
        CustodyFactory(student=student, family=double, rank=2)
        rows = (double, family) if swapped else (family, double)

        with pytest.raises(ValidationError) as refused:
            compare(*rows)
        assert refused.value.code == "two_households"
        assert str(student) in refused.value.messages[0]
        with pytest.raises(ValidationError):
            absorbing.absorb_family(kept=rows[0].pk, absorbed=rows[1].pk, actor=registrar, seen="")
        assert Family.objects.filter(pk__in=[family.pk, double.pk]).count() == 2
        assert not Merge.objects.exists()

    def test_the_other_household_of_a_child_stays_apart(self, family, student, double, registrar):
        """Alternating custody between the kept household and a third one."""
        third = FamilyFactory()
        CustodyFactory(student=student, family=third, rank=2)
        child = StudentFactory(family=double)

        absorb(family, double, actor=registrar)

        ranks = Custody.objects.order_by("pk").values_list("student", "family", "rank")
        assert list(ranks) == [
            (student.pk, family.pk, 1),
            (student.pk, third.pk, 2),
            (child.pk, family.pk, 1),
        ]
        assert refusal_of_compare(family, third) == "two_households"

    def test_warns_of_whoever_will_be_there_twice(self, family, parent, student, double):
        GuardianFactory(family=double, user=None)
        StudentFactory(first_name="Louise", family=double)

        assert [text for text, warns in read(family, double) if warns] == [
            "Claire Martin est dans les deux foyers\u00a0: fusionnez ensuite ses fiches.",
            "L'élève Louise Martin sera deux fois dans ce foyer.",
        ]

    @pytest.mark.parametrize(
        ("here", "there", "kept_stays"),
        [
            (("pending", 5), ("pending", 2), False),
            (("pending", 2), ("pending", 5), True),
            (("accepted", 5), ("refused", 2), True),
            (("refused", 2), ("accepted", 5), False),
        ],
    )
    def test_one_piece_of_a_type_counts(self, family, double, registrar, here, there, kept_stays):
        type = DocumentTypeFactory()
        documents = []
        for owner, (verdict, days) in ((family, here), (double, there)):
            refused = "Illisible." if verdict == Verdict.REFUSED else ""
            document = DocumentFactory(type=type, family=owner, verdict=verdict, refusal=refused)
            at = timezone.now() - dt.timedelta(days=days)
            Document.objects.filter(pk=document.pk).update(uploaded_at=at)
            documents.append(document)
        assert [warns for _, warns in read(family, double)] == [False, True]

        absorb(family, double, actor=registrar)

        assert family.documents.count() == 2  # a dossier may hold the other
        assert family.documents.current().get() == documents[0 if kept_stays else 1]

    def test_pieces_already_replaced_follow_without_a_fuss(self, family, double, registrar):
        type = DocumentTypeFactory()
        current = DocumentFactory(type=type, family=double)
        DocumentFactory(type=type, family=double, replaced_by=current)
        DocumentFactory(type=type, family=family)

        absorb(family, double, actor=registrar)

        assert family.documents.count() == 3
        assert family.documents.current().count() == 1

    def test_a_piece_asked_from_both_by_one_demand_is_asked_once(
        self, family, parent, student, double, registrar
    ):
        """They were once the two households of the child."""
        case = make_case(student)
        case.fill_in()
        dossier = case.submit(parent)
        demand = Transition.objects.filter(reenrolment=dossier).first()
        type, other_type = DocumentTypeFactory(), DocumentTypeFactory()
        for owner in (family, double):
            RequestedPiece.objects.create(transition=demand, document_type=type, family=owner)
        RequestedPiece.objects.create(transition=demand, document_type=other_type, family=double)

        absorb(family, double, actor=registrar)

        pieces = RequestedPiece.objects.order_by("document_type")
        assert list(pieces.values_list("document_type", "family")) == [
            (type.pk, family.pk),
            (other_type.pk, family.pk),
        ]

    def test_submitted_dossiers_of_both_break_no_invariant(
        self, family, parent, student, double, registrar
    ):
        """Whoever comes from the double was never told of the kept one's dossiers, nor owed to."""
        case = make_case(student)
        case.fill_in()
        case.submit(parent)
        GuardianFactory(family=family, first_name="Paul")
        newcomer = GuardianFactory(family=double, first_name="Rose")
        User.objects.filter(pk=newcomer.user_id).update(date_joined="2020-01-01T00:00Z")
        Guardian.objects.filter(family=family).update(email="", user=None)
        assert all_is_well()

        absorb(family, double, actor=registrar)

        assert all_is_well()

    def test_a_merge_before_follows(self, family, double, registrar):
        third = FamilyFactory()
        first = absorb(double, third, actor=registrar)

        absorb(family, double, actor=registrar)

        first.refresh_from_db()
        assert first.family == family

    def test_what_was_not_read_is_not_merged(self, family, double, registrar):
        seen = compare(family, double).fingerprint
        DocumentFactory(family=double)

        assert refusal(family, double, actor=registrar, seen=seen) == "changed"
        assert Family.objects.filter(pk=double.pk).exists()

    def test_a_double_click_does_it_once(self, family, double, registrar):
        options = {"kept": family.pk, "absorbed": double.pk, "actor": registrar}
        seen = compare(family, double).fingerprint
        first = absorbing.absorb_family(**options, seen=seen)

        assert absorbing.absorb_family(**options, seen=seen) == first
        assert Merge.objects.count() == 1

    def test_what_is_gone_otherwise_is_refused(self, family, double, registrar):
        seen = compare(family, double).fingerprint
        double.delete()

        with pytest.raises(ValidationError) as refused:
            absorbing.absorb_family(kept=family.pk, absorbed=double.pk, actor=registrar, seen=seen)
        assert refused.value.code == "gone"

    def test_not_with_itself(self, family):
        assert refusal_of_compare(family, family) == "same"


def refusal_of_compare(kept, absorbed):
    with pytest.raises(ValidationError) as refused:
        compare(kept, absorbed)
    return refused.value.code


class TestGuardians:
    @pytest.fixture
    def kept(self, parent):
        return parent.guardian

    @pytest.fixture
    def twice(self, family):
        """Claire again, without an account."""
        return GuardianFactory(
            family=family, user=None, email="claire@example.net", home_phone="03 20 00 00 01"
        )

    def test_what_the_kept_one_lacks_is_filled_in(self, kept, twice, registrar):
        merge = absorb(kept, twice, actor=registrar)

        kept.refresh_from_db()
        assert (kept.email, kept.home_phone) == ("martin.c@example.org", "03 20 00 00 01")
        assert not Guardian.objects.filter(pk=twice.pk).exists()
        assert (merge.kind, merge.family) == (MergeKind.GUARDIAN, kept.family)
        fields = {label: (here, there) for label, here, there in merge.details["fields"]}
        assert fields["adresse e-mail"] == ("martin.c@example.org", "claire@example.net")
        assert all_is_well()

    def test_the_account_of_the_double_comes_with_its_address(self, kept, twice, registrar):
        """One account: nothing to choose, whichever row has it."""
        user = kept.user

        absorb(twice, kept, actor=registrar)

        twice.refresh_from_db()
        assert (twice.user, twice.email) == (user, "martin.c@example.org")
        assert all_is_well()

    def test_an_account_without_address_takes_the_rows(self, kept, twice, registrar):
        User.objects.filter(pk=kept.user_id).update(email="")
        Guardian.objects.filter(pk=kept.pk).update(email="")

        absorb(kept, twice, actor=registrar)

        kept.refresh_from_db()
        assert kept.email == kept.user.email == "claire@example.net"
        assert User.objects.get(pk=kept.user_id).email == "claire@example.net"

    @pytest.mark.parametrize("keep", ["martin.c", "martin.c2"])
    def test_of_two_accounts_one_is_kept_and_the_other_closed(self, family, kept, registrar, keep):
        twice = GuardianFactory(family=family, user__username="martin.c2")
        chosen = User.objects.get(username=keep)
        (other,) = {kept.user, twice.user} - {chosen}
        DocumentFactory(family=family, uploaded_by=other)

        absorb(kept, twice, actor=registrar, account=chosen.pk)

        kept.refresh_from_db()
        other.refresh_from_db()
        assert (kept.user, kept.email, kept.user.is_active) == (chosen, chosen.email, True)
        assert not other.is_active
        assert Document.objects.get().uploaded_by == other  # its history stays
        assert "doublon de" in LogEntry.objects.get(object_id=str(other.pk)).get_change_message()
        assert all_is_well()

    def test_one_of_two_accounts_must_be_chosen(self, family, kept, stranger, registrar):
        twice = GuardianFactory(family=family, user__username="martin.c2")

        assert refusal(kept, twice, actor=registrar) == "account_required"
        assert refusal(kept, twice, actor=registrar, account=stranger.pk) == "account_required"

    def test_not_the_closed_one(self, family, kept, registrar):
        twice = GuardianFactory(family=family, user__is_active=False)

        assert refusal(kept, twice, actor=registrar, account=twice.user_id) == "account_closed"
        absorb(kept, twice, actor=registrar, account=kept.user_id)

    def test_a_teachers_account_is_the_one_to_keep(self, family, kept, registrar):
        twice = GuardianFactory(family=family, user=TeacherFactory().user)

        assert refusal(kept, twice, actor=registrar, account=kept.user_id) == "teacher"
        assert Guardian.objects.filter(pk=twice.pk).exists()
        absorb(kept, twice, actor=registrar, account=twice.user_id)

    def test_a_colleagues_account_is_neither_closed_nor_given_an_address(
        self, family, kept, registrar, director
    ):
        colleague = UserFactory(is_staff=True, email="")
        twice = GuardianFactory(family=family, user=colleague, email="")

        assert refusal(kept, twice, actor=registrar, account=kept.user_id) == "above"
        assert refusal(kept, twice, actor=registrar, account=colleague.pk) == "email_of_staff"
        colleague.refresh_from_db()
        assert (colleague.email, colleague.is_active) == ("", True)
        absorb(kept, twice, actor=director, account=colleague.pk)

    def test_two_households_are_merged_first(self, kept, double, registrar):
        other = GuardianFactory(family=double)

        assert refusal_of_compare(kept, other) == "two_families"

    def test_invitations_follow(self, kept, twice, registrar, establishment):
        invitation = invite(twice, actor=registrar, establishment=establishment)

        absorb(kept, twice, actor=registrar, account=kept.user_id)

        assert Invitation.objects.get() == invitation
        assert Invitation.objects.get().guardian == kept

    def test_one_line_of_a_launch_stays_and_its_mail_does_not_leave(
        self, kept, twice, student, registrar
    ):
        campaign = CampaignFactory()
        EnrolmentFactory(student=student, course=CourseFactory())
        launch = launches.launch(campaign, actor=registrar, expected=2)
        while launches.prepare_next():
            pass
        twice.refresh_from_db()
        mail = LaunchMail.objects.get(guardian=twice).mail
        assert read(kept, twice) == [
            (
                "Un message de lancement du doublon n'est pas encore parti\u00a0: il est annulé.",
                False,
            )
        ]

        absorb(kept, twice, actor=registrar, account=kept.user_id)

        assert launch.launch_mails.get().guardian == kept
        mail.refresh_from_db()
        assert mail.attempts == MAX_ATTEMPTS

    def test_the_line_of_a_launch_follows_where_the_kept_one_has_none(self, kept, twice, registrar):
        launch = Launch.objects.create(
            campaign=CampaignFactory(), actor=registrar, at=timezone.now()
        )
        line = LaunchMail.objects.create(launch=launch, guardian=twice)

        absorb(kept, twice, actor=registrar)

        line.refresh_from_db()
        assert line.guardian == kept

    def test_an_acknowledged_submission_breaks_no_invariant(
        self, kept, twice, parent, student, registrar
    ):
        case = make_case(student)
        case.fill_in()
        case.submit(parent)

        absorb(twice, kept, actor=registrar)

        assert all_is_well()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_agents_each_keep_the_other_one(self, registrar):
        for _ in range(20):
            one, other = FamilyFactory(), FamilyFactory()
            for family in (one, other):
                GuardianFactory(family=family)
                StudentFactory(family=family)
            pairs = [(one, other), (other, one)]
            seen = [compare(*pair).fingerprint for pair in pairs]

            def play(number, pairs=pairs, seen=seen):
                kept, absorbed = pairs[number]
                return absorbing.absorb_family(
                    kept=kept.pk, absorbed=absorbed.pk, actor=registrar, seen=seen[number]
                )

            results = run_together(play, 2)

            assert sorted(type(result).__name__ for result in results) == [
                "Merge",
                "ValidationError",
            ]
            (left,) = Family.objects.filter(pk__in=[one.pk, other.pk])
            assert (left.guardians.count(), left.students.count()) == (2, 2)

    def test_the_same_merge_twice_is_done_once(self, registrar, family):
        for _ in range(20):
            kept, absorbed = (GuardianFactory(family=family) for _ in range(2))
            seen = compare(kept, absorbed).fingerprint

            def play(_, kept=kept, absorbed=absorbed, seen=seen):
                return absorbing.absorb_guardian(
                    kept=kept.pk,
                    absorbed=absorbed.pk,
                    actor=registrar,
                    seen=seen,
                    account=kept.user_id,
                )

            results = run_together(play, 3)

            assert len({result.pk for result in results}) == 1
            assert Merge.objects.filter(absorbed_key=absorbed.pk).count() == 1

    def test_a_launch_is_prepared_meanwhile(self, registrar, family, student):
        """The sender takes a line, then its responsable: neither waits for ever."""
        campaign = CampaignFactory()
        EnrolmentFactory(student=student, course=CourseFactory())
        kept = GuardianFactory(family=family)
        launch = Launch.objects.create(campaign=campaign, actor=registrar, at=timezone.now())
        LaunchMail.objects.create(launch=launch, guardian=kept, prepared_at=timezone.now())
        for number in range(20):
            twice = GuardianFactory(family=family, user=None, email=f"{number}@example.org")
            LaunchMail.objects.create(launch=launch, guardian=twice)
            seen = compare(kept, twice).fingerprint

            def play(who, twice=twice, seen=seen):
                if who == 0:
                    return launches.prepare_next()
                return absorbing.absorb_guardian(
                    kept=kept.pk, absorbed=twice.pk, actor=registrar, seen=seen
                )

            prepared, merged = run_together(play, 2)

            assert not isinstance(prepared, Exception)
            if isinstance(merged, ValidationError):  # it has an account since: read it again
                assert merged.code == "changed"
                LaunchMail.objects.filter(guardian=twice).delete()
                Guardian.objects.filter(pk=twice.pk).delete()
            assert launch.launch_mails.get().guardian == kept

    @pytest.mark.parametrize("who", ["kept", "absorbed"])
    def test_a_household_hands_in_a_piece_meanwhile(self, registrar, who):
        """It is kept for the household that stays, or nothing of it is; neither waits for ever."""
        for _ in range(20):
            rows = {"kept": FamilyFactory(), "absorbed": FamilyFactory()}
            keys = {name: row.pk for name, row in rows.items()}
            current = DocumentFactory(family=rows[who])
            seen = compare(*rows.values()).fingerprint

            def play(number, rows=rows, keys=keys, current=current, seen=seen):
                if number == 0:
                    return hand_in(
                        "domicile.pdf",
                        make_pdf(),
                        type=current.type,
                        family=rows[who],
                        actor=registrar,
                    )
                return absorbing.absorb_family(**keys, actor=registrar, seen=seen)

            document, merge = run_together(play, 2)

            if isinstance(merge, ValidationError):
                assert merge.code == "changed"
                continue
            assert isinstance(merge, Merge)
            assert Document.objects.filter(type=current.type).current().count() == 1
            if isinstance(document, Document):
                assert Document.objects.get(pk=document.pk).family_id == keys["kept"]
            else:
                assert isinstance(document, ValidationError)
                assert document.code == "household_gone"
                assert not Document.objects.filter(type=current.type, name="domicile.pdf").exists()


def test_whoever_waited_for_a_merge_is_told_so(family, double, registrar):
    """His page was that of the double, his request on its way."""
    absorb(family, double, actor=registrar)

    for write in (
        lambda: hand_in("a.pdf", make_pdf(), type=DocumentTypeFactory(), family=double, actor=None),
        lambda: erasures.ask(double, text="Oubliez-nous.", actor=registrar),
    ):
        with pytest.raises(ValidationError) as refused:
            write()
        assert refused.value.code == "household_gone"


# --- What other parts of the house keep ---------------------------------------------------------


def test_the_reference_of_the_double_fills_an_empty_one(family, double, registrar):
    """The next import of the former software's list finds the household again."""
    Family.objects.filter(pk=double.pk).update(reference="F-12")

    absorb(family, double, actor=registrar)

    assert Family.objects.get(pk=family.pk).reference == "F-12"


def test_a_reference_is_never_replaced(family, double, registrar):
    Family.objects.filter(pk=family.pk).update(reference="F-1")
    Family.objects.filter(pk=double.pk).update(reference="F-12")

    absorb(family, double, actor=registrar)

    assert Family.objects.get(pk=family.pk).reference == "F-1"


@pytest.mark.parametrize("whose", ["family", "double"])
def test_a_request_of_erasure_is_answered_first(request, family, double, registrar, whose):
    erasures.ask(request.getfixturevalue(whose), text="Oubliez-nous.", actor=registrar)

    assert refusal(family, double, actor=registrar) == "erasure_open"


def test_the_mails_of_a_double_are_in_the_copy_of_who_absorbed_it(family, parent, registrar):
    """Their keys name the double: the copy, and an erasure, must find them all the same."""
    double = GuardianFactory(family=family, last_name="Martin", first_name="Claire")
    invite(double, actor=registrar, establishment=EstablishmentFactory())
    [mail] = Mail.objects.filter(kind=MailKind.INVITATION)

    absorb(parent.guardian, double, actor=registrar, account=parent.pk)

    assert mail in mails_to(Guardian.objects.get(user=parent))
