"""« Lancement réinscriptions »: each responsable told once, whatever happens."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail, User
from documents.enums import Verdict
from families.models import Guardian
from reenrolment import emails
from reenrolment.launch_progress import (
    State,
    detail_of,
    families_to_write_to,
    lines_of,
    progress_of,
    state_of,
)
from reenrolment.models import Launch, LaunchMail, LaunchResend
from reenrolment.services import launches
from students.enums import Art, EnrolmentStatus
from students.models import Course
from tests.factories import (
    CampaignFactory,
    CommuneFactory,
    CourseFactory,
    CustodyFactory,
    DisciplineFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    StudentFactory,
)
from tests.races import run_together
from tests.smtp import MailServer


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


def make_household(*guardians, student="Louise", course=None, **family):
    """A family with one student; each guardian is a dict of its fields, or nothing at all."""
    family = FamilyFactory(**family)
    for fields in guardians or [{}]:
        GuardianFactory(**{"family": family, "user": None, "email": "p@example.org"} | fields)
    child = StudentFactory(first_name=student, last_name=family.name, family=family)
    EnrolmentFactory(student=child, course=course or a_course())
    return family


def a_course():
    return Course.objects.filter(name="Piano").first() or CourseFactory(name="Piano")


def start(campaign, actor):
    return launches.launch(campaign, actor=actor, expected=launches.not_told_yet(campaign).count())


def prepare_all():
    while launches.prepare_next():
        pass


def states(launch):
    return {state: number for state, number in progress_of(launch).counts.items() if number}


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refused:
        function(*args, **kwargs)
    return refused.value.code


# --- Whom ---------------------------------------------------------------------------------------


def test_each_responsable_gets_an_account_and_a_mail(campaign, registrar, mailoutbox):
    make_household({"email": "claire@example.org"}, {"first_name": "Paul", "email": "paul@e.org"})

    launch = start(campaign, registrar)
    assert (Mail.objects.count(), User.objects.count()) == (0, 1)
    call_command("send_mails")

    assert sorted(message.to[0] for message in mailoutbox) == ["claire@example.org", "paul@e.org"]
    claire, paul = Guardian.objects.order_by("pk")
    assert (claire.user.username, paul.user.username) == ("martin.c", "martin.p")
    assert (claire.user.email, paul.user.email) == ("claire@example.org", "paul@e.org")
    assert list(claire.user.establishments.all()) == [campaign.establishment]
    assert states(launch) == {State.SENT: 2}
    assert (launch.actor, progress_of(launch).is_finished) == (registrar, True)


def test_only_the_households_of_this_years_students_of_this_site(campaign, registrar):
    ours = make_household()
    elsewhere = CourseFactory(establishment=EstablishmentFactory(name="Annexe"))
    make_household(course=elsewhere)
    make_household(course=CourseFactory(school_year=SchoolYearFactory(offset=-1)))
    released = make_household()
    released.students.get().enrolments.update(status=EnrolmentStatus.RELEASED)

    start(campaign, registrar)

    assert [line.guardian.family for line in LaunchMail.objects.all()] == [ours]


def test_an_account_that_is_there_is_kept(campaign, registrar, parent, student, mailoutbox):
    EnrolmentFactory(student=student)

    start(campaign, registrar)
    call_command("send_mails")

    assert "Votre identifiant : martin.c\n" in mailoutbox[0].body
    assert User.objects.count() == 2  # the registrar's


def test_an_account_without_address_takes_the_responsables(campaign, registrar, parent, student):
    EnrolmentFactory(student=student)
    User.objects.filter(pk=parent.pk).update(email="")

    start(campaign, registrar)
    prepare_all()

    parent.refresh_from_db()
    assert parent.email == parent.guardian.email
    assert "où vous lisez ce message" in Mail.objects.get().body


def test_the_mail_says_so_when_the_account_has_another_address(
    campaign, registrar, parent, student
):
    EnrolmentFactory(student=student)
    User.objects.filter(pk=parent.pk).update(email="autre@example.org")

    start(campaign, registrar)
    prepare_all()

    assert "l'adresse e-mail de votre compte." in Mail.objects.get().body


def test_without_email_an_account_and_a_letter(campaign, registrar):
    alone = make_household({"email": ""}, name="Zola")
    make_household({"email": ""}, {"first_name": "Paul"}, name="Balzac")  # reached through Paul

    launch = start(campaign, registrar)
    assert not families_to_write_to(launch).exists()  # the accounts are not there yet
    prepare_all()

    assert states(launch) == {State.WAITING: 1, State.NO_EMAIL: 2}
    assert families_to_write_to(launch).get() == alone
    assert alone.guardians.get().user.username == "martin.cl"


@pytest.mark.parametrize("closed", ["inactive", "staff"])
def test_a_mail_that_would_lead_nowhere_is_told_to_the_staff(
    registrar, parent, student, establishment, closed
):
    annexe = EstablishmentFactory(name="Annexe")
    campaign = CampaignFactory(establishment=annexe, terms__establishment=annexe)
    EnrolmentFactory(student=student, course=CourseFactory(establishment=annexe))
    changes = {"is_active": False} if closed == "inactive" else {"is_staff": True}
    User.objects.filter(pk=parent.pk).update(**changes)

    launch = start(campaign, registrar)
    prepare_all()

    line = launch.launch_mails.get()
    assert state_of(line) == State.FAILED
    assert states(launch) == {State.FAILED: 1}
    assert (
        detail_of(line)
        == {
            "inactive": "Le compte est fermé.",
            "staff": "Compte d'un agent\u00a0: la direction doit l'ouvrir à cet établissement.",
        }[closed]
    )
    assert list(parent.establishments.all()) == [establishment]


# --- What the mail says ---------------------------------------------------------------------------


def test_the_mail_holds_dates_address_identifiant_and_no_password(
    campaign, registrar, mailoutbox, settings
):
    settings.SITE_URL = "https://conservatoire.example"
    campaign.opens_at = dt.datetime(2027, 5, 3, 6, tzinfo=dt.UTC)
    campaign.closes_at = dt.datetime(2099, 6, 11, 18, tzinfo=dt.UTC)
    campaign.save()
    family = make_household(name="Martin")
    sister = StudentFactory(first_name="Zoé", family=family)
    EnrolmentFactory(student=sister, course=a_course())

    start(campaign, registrar)
    call_command("send_mails")

    (message,) = mailoutbox
    assert message.subject == (
        f"Réinscriptions {campaign.school_year} : du 3\xa0mai 2027 à 8\xa0h"
        " au 11\xa0juin 2099 à 20\xa0h"
    )
    for text in [
        "Bonjour Claire Martin,",
        "pour Louise Martin et Zoé Martin :",
        "du 3\xa0mai 2027 à 8\xa0h\n",
        "Votre identifiant : martin.c\n",
        "L'adresse du site : https://conservatoire.example/extranet/\n",
        "https://conservatoire.example/extranet/mot-de-passe-perdu/\n",
        "où vous lisez ce message.",
    ]:
        assert text in message.body
    assert not User.objects.get(username="martin.c").has_usable_password()


def test_the_identifiant_and_the_address_open_the_account(client, campaign, registrar, mailoutbox):
    make_household()
    start(campaign, registrar)
    call_command("send_mails")

    client.post("/extranet/mot-de-passe-perdu/", {"username": "martin.c", "email": "p@example.org"})
    call_command("send_mails")
    password = mailoutbox[-1].body.split("\n    ")[1].split("\n")[0]
    site = campaign.establishment.pk
    answer = client.post(
        "/extranet/connexion/",
        {"establishment": site, "username": "martin.c", "password": password},
    )

    assert answer.status_code == 302
    assert User.objects.get(username="martin.c").must_choose_password


def test_each_household_of_a_child_reads_its_own_pieces(campaign, registrar):
    lille = CommuneFactory(insee_code="59350", name="Lille", postal_code="59000")
    nadia = make_household({"email": "nadia@e.org"}, name="Benali")
    samir = FamilyFactory(name="Benali", commune=lille)
    GuardianFactory(family=samir, user=None, first_name="Samir", email="samir@e.org")
    child = nadia.students.get()
    CustodyFactory(student=child, family=samir, rank=2)
    home, photo = DocumentTypeFactory(name="Domicile"), DocumentTypeFactory(photo=True)
    tax = PieceRuleFactory(document_type__name="Impôts", position=3)
    tax.communes.add(nadia.commune)
    PieceRuleFactory(document_type=home, position=1)
    PieceRuleFactory(document_type=photo, position=2)
    DocumentFactory(type=home, family=samir)

    start(campaign, registrar)
    prepare_all()

    def pieces(to):
        return [ln for ln in Mail.objects.get(to=to).body.split("\n") if ln.startswith("- ")]

    assert pieces("nadia@e.org") == ["- Domicile", "- Photo d'identité, pour Louise", "- Impôts"]
    assert pieces("samir@e.org") == ["- Photo d'identité, pour Louise", "- Domicile"]
    body = Mail.objects.get(to="samir@e.org").body
    assert body.index("Photo") < body.index("déjà") < body.index("Domicile")


def test_a_familys_piece_is_asked_once_a_students_for_each_a_dancers_from_dancers(
    campaign, registrar
):
    family = make_household(name="Martin")
    dancer = StudentFactory(first_name="Hugo", family=family)
    dance = DisciplineFactory(name="Danse classique", art=Art.DANCE)
    EnrolmentFactory(student=dancer, course=CourseFactory(discipline=dance))
    PieceRuleFactory(document_type__name="Domicile", position=1)
    PieceRuleFactory(document_type=DocumentTypeFactory(photo=True), position=2)
    medical = DocumentTypeFactory(name="Certificat", owner="student")
    PieceRuleFactory(document_type=medical, audience="dance", position=3)
    DocumentFactory(
        type=medical, student=dancer, verdict=Verdict.REFUSED, refusal="Date illisible."
    )

    start(campaign, registrar)
    prepare_all()

    body = Mail.objects.get().body
    assert [line for line in body.split("\n") if line.startswith("- ")] == [
        "- Domicile",
        "- Photo d'identité, pour Hugo",
        "- Certificat, pour Hugo (celle que nous avons est refusée : Date illisible.)",
        "- Photo d'identité, pour Louise",
    ]


# --- Never twice, never lost ----------------------------------------------------------------------


def test_launching_again_tells_the_newcomers_only(campaign, registrar, director):
    make_household()
    launch = start(campaign, registrar)
    prepare_all()
    assert code_of(launches.launch, campaign, actor=director, expected=0) == "nobody"
    make_household(name="Nouveau")

    assert start(campaign, director) == launch
    prepare_all()

    assert Mail.objects.filter(kind=MailKind.LAUNCH).count() == 2
    assert Launch.objects.get().actor == registrar


def test_refused_when_over_when_nobody_and_when_the_page_is_old(campaign, registrar):
    assert code_of(launches.launch, campaign, actor=registrar, expected=0) == "nobody"
    make_household()
    assert code_of(launches.launch, campaign, actor=registrar, expected=2) == "changed"
    campaign.closes_at = timezone.now()
    campaign.save()
    assert code_of(launches.launch, campaign, actor=registrar, expected=1) == "closed"
    assert not Launch.objects.exists()


def test_the_database_refuses_a_second_line(campaign, registrar):
    make_household()
    launch = start(campaign, registrar)

    with pytest.raises(IntegrityError), transaction.atomic():
        LaunchMail.objects.create(launch=launch, guardian=Guardian.objects.get())


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    campaign, registrar, monkeypatch, mailoutbox
):
    for number in range(3):
        make_household({"email": f"{number}@example.org"})
    launch = start(campaign, registrar)
    queue, calls = mails.queue, []

    def die(*args, **kwargs):
        calls.append(queue(*args, **kwargs))
        if len(calls) == 2:
            raise KeyboardInterrupt  # after the account and the mail were written, uncommitted

    with monkeypatch.context() as patch:
        patch.setattr(mails, "queue", lambda *a, **kw: die(*a, **kw) or calls[-1])
        with pytest.raises(KeyboardInterrupt):
            prepare_all()
    assert states(launch) == {State.WAITING: 1, State.TO_DO: 2}
    assert Guardian.objects.exclude(user=None).count() == 1

    call_command("send_mails")

    assert sorted(m.to[0] for m in mailoutbox) == [f"{n}@example.org" for n in range(3)]
    assert User.objects.filter(guardian__isnull=False).count() == 3


def test_one_bad_household_does_not_hold_back_the_next(campaign, registrar, monkeypatch):
    make_household({"email": "bad@example.org"}, name="A")
    make_household({"email": "good@example.org"}, name="B")
    launch = start(campaign, registrar)
    compose = emails.launch

    def fail(campaign, household, guardian, username):
        if guardian.email == "bad@example.org":
            raise RuntimeError("une phrase que personne ne doit lire")
        return compose(campaign, household, guardian, username)

    monkeypatch.setattr(emails, "launch", fail)
    prepare_all()

    assert states(launch) == {State.WAITING: 1, State.FAILED: 1}
    (line,) = lines_of(launch, state=State.FAILED)
    assert detail_of(line) == "Message impossible à préparer (RuntimeError)."
    assert line.guardian.user is None


def test_a_database_that_goes_away_is_not_the_households_fault(campaign, registrar, monkeypatch):
    make_household()
    launch = start(campaign, registrar)

    def away(*args):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(emails, "launch", away)
        with pytest.raises(OperationalError):
            launches.prepare_next()

    assert states(launch) == {State.TO_DO: 1}


def test_an_idle_worker_makes_one_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert launches.prepare_next() is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_never_double(registrar):
    campaign = CampaignFactory()
    for _ in range(40):
        make_household(name="Martin")  # forty homonyms, who all want « martin.c »
    launch = start(campaign, registrar)

    results = run_together(lambda number: prepare_all(), 3)
    prepare_all()  # whoever found every row locked has left

    assert results == [None] * 3
    assert states(launch) == {State.WAITING: 40}
    assert Mail.objects.count() == 40
    assert User.objects.filter(username__startswith="martin.").count() == 40


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_at_once_launch_once(registrar):
    for turn in range(10):
        campaign = CampaignFactory(
            school_year=SchoolYearFactory(offset=turn + 1), previous_year=SchoolYearFactory()
        )
        make_household()
        expected = launches.not_told_yet(campaign).count()

        results = run_together(
            lambda number, campaign=campaign, expected=expected: launches.launch(
                campaign, actor=registrar, expected=expected
            ),
            2,
        )

        assert sorted(type(result).__name__ for result in results) == ["Launch", "ValidationError"]
        assert LaunchMail.objects.filter(launch__campaign=campaign).count() == expected


# --- « Renvoyer » ---------------------------------------------------------------------------------


@pytest.fixture
def launched(campaign, registrar):
    make_household(name="Martin")
    launch = start(campaign, registrar)
    prepare_all()
    return launch


def the_family():
    return Guardian.objects.first().family


def test_a_resend_is_a_new_mail_to_the_new_address_and_is_logged(launched, registrar, mailoutbox):
    Mail.objects.update(last_error="SMTPRecipientsRefused", attempts=1)
    Guardian.objects.update(email="nouvelle@example.org")

    assert launches.resend(launched, the_family(), actor=registrar) == 1
    mails.send_due()

    assert [message.to for message in mailoutbox] == [["nouvelle@example.org"]]
    assert states(launched) == {State.SENT: 1}
    first = Mail.objects.order_by("pk").first()
    assert (first.attempts, first.last_error) == (mails.MAX_ATTEMPTS, launches.REPLACED)
    assert [str(row.family) for row in LaunchResend.objects.filter(actor=registrar)] == ["Martin"]


def test_a_resend_reaches_who_joined_the_household_since(launched, registrar):
    GuardianFactory(family=the_family(), user=None, first_name="Paul", email="paul@e.org")

    assert launches.resend(launched, the_family(), actor=registrar) == 2

    assert Guardian.objects.get(first_name="Paul").user.username == "martin.p"
    assert launches.prepare_next() is None


def test_a_resend_too_soon_without_address_or_elsewhere_is_refused(launched, registrar):
    def resend(family):
        return code_of(launches.resend, launched, family, actor=registrar)

    assert resend(FamilyFactory()) == "not_concerned"
    Guardian.objects.update(email="")
    assert resend(the_family()) == "no_email"
    Guardian.objects.update(email="p@example.org")
    launches.resend(launched, the_family(), actor=registrar)
    assert resend(the_family()) == "too_soon"
    LaunchResend.objects.update(at=timezone.now() - dt.timedelta(minutes=2))
    assert launches.resend(launched, the_family(), actor=registrar) == 1
    assert Mail.objects.count() == 3
    LaunchResend.objects.all().delete()
    User.objects.filter(guardian__isnull=False).update(is_active=False)
    assert resend(the_family()) == "prevented"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_double_click_resends_once(registrar):
    campaign = CampaignFactory()
    family = make_household()
    launch = start(campaign, registrar)
    prepare_all()

    results = run_together(lambda number: launches.resend(launch, family, actor=registrar), 4)

    assert sorted(map(str, results)).count("1") == 1
    assert Mail.objects.count() == 2


# --- A mail server that refuses -------------------------------------------------------------------


@pytest.fixture
def smtp(settings):
    """Refuses for good the addresses that begin with « refus »."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with MailServer(lambda address, _: REFUSAL if address.startswith("refus") else None) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        yield server


REFUSAL = "550 5.1.1 inconnu"


def test_a_server_that_refuses_one_in_fifty(campaign, registrar, smtp, monkeypatch):
    """Two hundred households, a sender killed twice: each reachable person is mailed once."""
    addresses = [f"{'refus' if n % 50 == 0 else 'oui'}.{n}@example.org" for n in range(200)]
    for address in addresses:
        make_household({"email": address})
    launch = start(campaign, registrar)
    send, sent = EmailMessage.send, []

    def dies(message, **kwargs):
        sent.append(message)
        if len(sent) in (20, 60):
            raise KeyboardInterrupt
        return send(message, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", dies)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                call_command("send_mails")
    call_command("send_mails")
    mails.send_due(timezone.now() + mails.HOLD)  # what the dead senders held

    assert sorted(smtp.accepted) == sorted(a for a in addresses if a.startswith("oui"))
    assert states(launch) == {State.SENT: 196, State.FAILED: 4}
    reasons = {detail_of(line) for line in lines_of(launch, state=State.FAILED)}
    assert reasons == {f"Abandonné\u00a0: Adresse refusée ({REFUSAL})"}
    assert not mails.waiting().exists()
