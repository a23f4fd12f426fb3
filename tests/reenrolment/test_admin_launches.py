"""The pages of « Lancement »: figures, dry run, progress, letters, and who may open them."""

import pytest
import typst
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.models import Mail, User
from families.models import Family, Guardian
from reenrolment.launch_progress import State
from reenrolment.models import Campaign, Launch, LaunchMail, LaunchResend
from tests.factories import (
    CampaignFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
    TermsFactory,
    UserFactory,
)
from tests.pdfs import texts_of
from tests.queries import count_queries
from tests.reenrolment.test_launches import a_course, make_household, prepare_all, start

PAGES = ["launch", "launch_rehearsal", "launch_progress", "launch_letters", "launch_letters_pdf"]
CONFIRMED = {"confirm": "on"}


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


def url(name, campaign, *args):
    return reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk, *args])


def text_of(response) -> str:
    return " ".join(response.content.decode().replace("&nbsp;", " ").split())


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def households(campaign):
    """Martin: Claire has an account, Paul no address; Zola: nobody has any; Durand: one of each."""
    martin = make_household(
        {"user": UserFactory(username="martin.c"), "email": "claire@example.org"},
        {"first_name": "Paul", "email": ""},
        name="Martin",
    )
    zola = make_household({"last_name": "Zola", "first_name": "Émile", "email": ""}, name="Zola")
    durand = make_household({"last_name": "Durand"}, name="Durand", student="Zoé")
    return martin, zola, durand


# --- Preview ------------------------------------------------------------------------------------


def test_the_preview_counts(admin, campaign, households):
    lonely = StudentFactory(first_name="Seul")
    EnrolmentFactory(student=lonely, course=a_course())
    preview = admin.get(url("launch", campaign)).context["preview"]

    assert (preview.households, preview.guardians, preview.without_account) == (3, 4, 3)
    assert (preview.mails, preview.letters) == (2, 1)
    assert [(str(g), g.is_reached) for g in preview.without_email] == [
        ("Paul Martin", True),
        ("Émile Zola", False),
    ]
    assert preview.without_guardian == [lonely]


def test_the_example_is_the_mail_of_one_household_and_leads_to_the_next(
    admin, campaign, households
):
    PieceRuleFactory(document_type=DocumentTypeFactory(name="Domicile"))
    example = admin.get(url("launch", campaign)).context["example"]

    assert (str(example.guardian), str(example.following)) == ("Claire Durand", "Martin")
    assert "Votre identifiant : durand.c\n" in example.body
    assert "- Domicile\n" in example.body

    address = f"{url('launch', campaign)}?foyer={example.following.pk}"
    following = admin.get(address).context["example"]
    assert "Votre identifiant : martin.c\n" in following.body
    prepare_all()
    assert not Mail.objects.exists()


def test_the_first_example_is_a_household_that_a_mail_reaches(admin, campaign):
    make_household({"email": ""}, name="Abel")
    make_household(name="Zola")

    assert str(admin.get(url("launch", campaign)).context["example"].household.family) == "Zola"


@pytest.mark.parametrize("value", ["", "x", "0", "-1", "²", "9" * 30])
def test_an_example_that_is_not_of_the_campaign_does_not_exist(admin, campaign, households, value):
    other = FamilyFactory()

    assert admin.get(f"{url('launch', campaign)}?foyer={value}").status_code == 404
    assert admin.get(f"{url('launch', campaign)}?foyer={other.pk}").status_code == 404


def test_the_example_is_what_leaves(admin, registrar, campaign, households):
    example = admin.get(url("launch", campaign)).context["example"]

    start(campaign, registrar)
    prepare_all()

    mail = Mail.objects.get(to=example.guardian.email)
    assert (mail.subject, mail.body) == (example.subject, example.body)


def test_the_dry_run_tells_everybodys_identifiant_and_writes_nothing(
    admin, registrar, campaign, households
):
    def everything():
        return [User.objects.count(), Mail.objects.count(), LaunchMail.objects.count()]

    before = everything()
    lines = admin.get(url("launch_rehearsal", campaign)).context["lines"]
    assert everything() == before
    assert not Launch.objects.exists()

    planned = {line.guardian.pk: line.username for line in lines}
    start(campaign, registrar)
    prepare_all()
    made = dict(Guardian.objects.values_list("pk", "user__username"))
    assert planned == made
    assert sorted(made.values()) == ["durand.c", "martin.c", "martin.p", "zola.e"]


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("", ["Claire Durand", "Claire Martin", "Paul Martin", "Émile Zola"]),
        ("sans-compte", ["Claire Durand", "Paul Martin", "Émile Zola"]),
        ("sans-adresse", ["Paul Martin", "Émile Zola"]),
        ("inconnu", ["Claire Durand", "Claire Martin", "Paul Martin", "Émile Zola"]),
    ],
)
def test_the_dry_run_shows_who_has_no_account_or_no_email(admin, campaign, households, view, shown):
    response = admin.get(f"{url('launch_rehearsal', campaign)}?voir={view}")

    assert [str(line.guardian) for line in response.context["lines"]] == shown
    assert response.context["lines"][-1].username == "zola.e"  # whoever is shown before


def test_the_preview_leads_to_those_without_account(admin, campaign, households):
    address = f"{url('launch_rehearsal', campaign)}?voir=sans-compte"

    assert f'href="{address}"> <strong>3</strong> comptes' in text_of(
        admin.get(url("launch", campaign))
    )


def test_the_dry_run_says_who_would_be_prevented(admin, campaign, households):
    user = User.objects.get(username="martin.c")
    page = url("launch_rehearsal", campaign)

    def prevented():
        return {line.username: line.prevented for line in admin.get(page).context["lines"]}

    assert set(prevented().values()) == {""}
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert prevented()["martin.c"] == "compte fermé"
    User.objects.filter(pk=user.pk).update(is_active=True, is_staff=True)
    user.establishments.clear()
    assert prevented()["martin.c"] == "compte d'un agent d'un autre établissement"


# --- Launching ------------------------------------------------------------------------------------


def test_a_launch_answers_at_once_and_leads_to_its_progress(admin, campaign, households):
    response = admin.post(url("launch", campaign), CONFIRMED | {"expected": 4})

    assert (response.status_code, response.url) == (302, url("launch_progress", campaign))
    assert LaunchMail.objects.filter(prepared_at=None).count() == 4
    assert not Mail.objects.exists()
    assert str(Launch.objects.get().actor) == "secretariat"


@pytest.mark.parametrize("data", [{}, {"expected": 4}, CONFIRMED, CONFIRMED | {"expected": "x"}])
def test_without_the_tick_nothing_is_launched(admin, campaign, households, data):
    response = admin.post(url("launch", campaign), data)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert "<title> Erreur : Lancement" in text_of(response)
    assert not Launch.objects.exists()


def test_a_launch_that_is_refused_says_why_with_the_figures_of_now(admin, campaign, households):
    response = admin.post(url("launch", campaign), CONFIRMED | {"expected": 3})

    assert told(response) == [
        "La page annonçait 3 responsables, ils sont 4\xa0: relisez-la avant de lancer."
    ]
    assert response.context["form"]["expected"].value() == 4
    assert not Launch.objects.exists()


def test_when_the_period_is_over_there_is_no_button(admin, campaign, households):
    Campaign.objects.update(closes_at=timezone.now())

    assert 'name="confirm"' not in text_of(admin.get(url("launch", campaign)))
    response = admin.post(url("launch", campaign), CONFIRMED | {"expected": 4})
    assert told(response) == ["La période est finie\xa0: changez d'abord ses dates."]


def test_after_the_launch_the_page_counts_the_newcomers(admin, registrar, campaign, households):
    start(campaign, registrar)
    page = admin.get(url("launch", campaign))
    assert page.context["preview"].guardians == 0
    assert 'name="confirm"' not in text_of(page)

    make_household(name="Nouveau")

    page = admin.get(url("launch", campaign))
    assert page.context["preview"].guardians == 1
    assert 'value="Prévenir 1 responsable"' in text_of(page)


# --- Progress -------------------------------------------------------------------------------------


@pytest.fixture
def launched(registrar, campaign, households):
    launch = start(campaign, registrar)
    prepare_all()
    return launch


def lines(response):
    return [(str(line.guardian), state) for line, state, _ in response.context["lines"]]


def test_the_progress_shows_the_failures_first_with_their_reason(admin, campaign, launched):
    Mail.objects.filter(to="claire@example.org").update(sent_at=timezone.now())
    Mail.objects.filter(to="p@example.org").update(last_error="Adresse refusée (550 <p>)")

    response = admin.get(url("launch_progress", campaign))

    assert {s: n for s, n in response.context["figures"] if n} == {
        State.SENT: 1,
        State.FAILED: 1,
        State.NO_EMAIL: 2,
    }
    assert lines(response) == [("Claire Durand", State.FAILED)]
    assert "Nouvel essai prévu : Adresse refusée (550 &lt;p&gt;)" in text_of(response)


@pytest.mark.parametrize("state", State)
def test_a_figure_leads_to_what_it_counts(admin, campaign, launched, state):
    Mail.objects.filter(to="claire@example.org").update(sent_at=timezone.now())
    response = admin.get(f"{url('launch_progress', campaign)}?etat={state}")

    assert len(lines(response)) == response.context["progress"].counts[state]
    assert {its for _, its in lines(response)} <= {state}


def test_a_household_is_found_by_a_name(admin, campaign, launched):
    page = url("launch_progress", campaign)

    assert lines(admin.get(f"{page}?q=emile+ZOLÀ")) == [("Émile Zola", State.NO_EMAIL)]
    assert len(lines(admin.get(f"{page}?q=martin"))) == 2
    assert lines(admin.get(f"{page}?q=personne")) == []
    assert len(lines(admin.get(f"{page}?etat="))) == 4
    assert lines(admin.get(f"{page}?etat=inconnu&page=x")) == []


def test_resend_from_the_page(admin, campaign, launched, households):
    durand = households[2]
    address = url("launch_resend", campaign, durand.pk)

    done = admin.post(address, follow=True)
    again = admin.post(address, follow=True)

    assert done.redirect_chain == [(f"{url('launch_progress', campaign)}?q=Durand", 302)]
    assert told(done) == ["Durand\xa0: 1 message renvoyé."]
    assert told(again) == [
        "Durand\xa0: Un message vient d'être renvoyé à ce foyer\xa0: attendez une minute."
    ]
    assert LaunchResend.objects.count() == 1
    assert "Durand, le" in text_of(done)
    assert admin.get(address).status_code == 405
    assert admin.post(url("launch_resend", campaign, FamilyFactory().pk)).status_code == 404


def test_what_was_given_up_is_tried_again_and_it_is_logged(
    admin, registrar, campaign, launched, mailoutbox
):
    sent, failed = Mail.objects.order_by("to")
    Mail.objects.filter(pk=sent.pk).update(sent_at=timezone.now())
    page, retry = url("launch_progress", campaign), url("launch_retry", campaign)
    assert "Réessayer" not in text_of(admin.get(page))
    Mail.objects.filter(pk=failed.pk).update(attempts=mails.MAX_ATTEMPTS, last_error="Panne")
    other = Mail.objects.create(
        key="autre", kind="validated", to="x@e.org", body="-", due_at=timezone.now()
    )
    Mail.objects.filter(pk=other.pk).update(attempts=mails.MAX_ATTEMPTS)
    assert 'value="Réessayer 1 message"' in text_of(admin.get(page))

    done = admin.post(retry, follow=True)

    assert told(done) == ["Nouvel essai de 1 message abandonné."]
    assert str(LogEntry.objects.get().object_id) == str(campaign.pk)
    assert mails.send_due() == 1
    assert [message.to for message in mailoutbox] == [[failed.to]]
    assert admin.get(retry).status_code == 405


def test_letters_for_those_whom_no_mail_reaches(admin, campaign, launched, settings):
    settings.SITE_URL = "https://conservatoire.example"
    PieceRuleFactory(document_type__name="Domicile")

    response = admin.get(url("launch_letters", campaign))

    (letter,) = response.context["letters"]
    assert letter.recipient == ["Émile Zola", "12 rue des Anges", "59200 Tourcoing"]
    text = text_of(response)
    for part in [
        'Identifiant d&#x27;Émile Zola : <strong class="letter-username">zola.e</strong>',
        "se font en ligne, pour Louise Zola.",
        "<strong>https://conservatoire.example/extranet/</strong>",
        "<li>Domicile</li>",
        "59200 Tourcoing",
    ]:
        assert part in text


def test_the_letters_as_a_pdf_to_download(admin, campaign, launched):
    response = admin.get(url("launch_letters_pdf", campaign))

    assert response["Content-Type"] == "application/pdf"
    name = f"lettres-{campaign.school_year}-1.pdf"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in response["Cache-Control"]
    (text,) = texts_of(response.content)
    assert "ÉmileZola12ruedesAnges59200Tourcoing" in text
    assert f'href="{url("launch_letters_pdf", campaign)}?page=1"' in text_of(
        admin.get(url("launch_letters", campaign))
    )


def test_hundreds_of_letters_are_several_files(admin, registrar, campaign, monkeypatch):
    monkeypatch.setattr("reenrolment.admin.launches.AT_ONCE", 2)
    for name in "ABC":
        make_household({"email": "", "last_name": name}, name=name)
    start(campaign, registrar)
    prepare_all()

    page = text_of(admin.get(f"{url('launch_letters', campaign)}?page=2"))
    assert "3 lettres" in page
    assert "les lettres 3 à 3" in page
    texts = [
        texts_of(admin.get(f"{url('launch_letters_pdf', campaign)}?page={number}").content)
        for number in (1, 2)
    ]
    assert [len(pages) for pages in texts] == [2, 1]
    assert "ClaireC12rue" in texts[1][0]


def test_without_letters_there_is_no_pdf(admin, registrar, campaign):
    make_household()
    start(campaign, registrar)
    prepare_all()

    assert admin.get(url("launch_letters_pdf", campaign)).status_code == 404


def test_a_pdf_that_cannot_be_made_is_told_on_the_page(admin, campaign, launched, monkeypatch):
    def fail(*args, **kwargs):
        raise typst.TypstError("une phrase que personne ne doit lire")

    monkeypatch.setattr(typst, "compile", fail)

    response = admin.get(url("launch_letters_pdf", campaign), follow=True)

    assert response.redirect_chain == [(f"{url('launch_letters', campaign)}?page=1", 302)]
    assert told(response) == [
        "Le PDF n'a pas pu être fait. Imprimez la page elle-même, par le menu de votre navigateur."
    ]


# --- Who, and in how many queries -----------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_only_those_who_may_launch_open_the_pages(
    client, campaign, launched, accountant, stranger, director, name
):
    address = url(name, campaign)
    assert client.get(address).status_code == 302
    for user, status in [(stranger, 302), (accountant, 403), (director, 200)]:
        client.force_login(user)
        assert client.get(address).status_code == status


def test_others_launch_and_resend_nothing(client, campaign, launched, accountant, stranger):
    make_household()
    Mail.objects.update(attempts=mails.MAX_ATTEMPTS)
    family = Family.objects.first()
    for user in (accountant, stranger):
        client.force_login(user)
        client.post(url("launch", campaign), CONFIRMED | {"expected": 1})
        client.post(url("launch_resend", campaign, family.pk))
        client.post(url("launch_retry", campaign))

    assert not Mail.objects.filter(attempts=0).exists()
    assert LaunchMail.objects.count() == 4
    assert not LaunchResend.objects.exists()


def test_another_establishments_campaign_does_not_exist(admin, director, households):
    annexe = EstablishmentFactory(name="Annexe")
    campaign = CampaignFactory(establishment=annexe, terms=TermsFactory(establishment=annexe))
    make_household()
    Launch.objects.create(campaign=campaign, actor=director, at=timezone.now())

    assert [admin.get(url(name, campaign)).status_code for name in PAGES] == [404] * 5
    family = households[0]
    assert admin.post(url("launch_resend", campaign, family.pk)).status_code == 404
    assert admin.post(url("launch_retry", campaign)).status_code == 404
    assert admin.post(url("launch", campaign), CONFIRMED | {"expected": 1}).status_code == 404


def test_before_the_launch_there_is_no_progress(admin, campaign):
    assert admin.get(url("launch_progress", campaign)).status_code == 404
    assert admin.get(url("launch_letters", campaign)).status_code == 404
    assert admin.get(url("launch", campaign)).context["example"] is None


def test_the_campaign_leads_there_for_those_who_may(admin, registrar, client, campaign):
    page = reverse("admin:reenrolment_campaign_change", args=[campaign.pk])
    link = f'href="{url("launch", campaign)}"'

    assert link in admin.get(page).content.decode()
    for group in registrar.groups.all():
        group.permissions.remove(*group.permissions.filter(codename="launch_campaign"))
    assert link not in admin.get(page).content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_make_a_constant_number_of_queries(admin, registrar, campaign, name):
    PieceRuleFactory.create_batch(2)

    def more(prefix):
        for number in range(3):
            user = UserFactory(username=f"{prefix}{number}".lower(), email="")
            guardian = {"email": "", "user": user if number else None}
            make_household(guardian, {"email": "" if number else "x@e.org"}, name=prefix)

    more("A")
    start(campaign, registrar)
    prepare_all()
    if name in ("launch", "launch_rehearsal"):
        more("C")
    address = url(name, campaign) + ("?etat=" if name == "launch_progress" else "")
    before = count_queries(admin, address)
    more("B")
    GuardianFactory.create_batch(2, family=Family.objects.first(), user=None)
    if name not in ("launch", "launch_rehearsal"):
        start(campaign, registrar)
        prepare_all()

    assert count_queries(admin, address) == before
