"""A household pays on PayFiP's page, comes back, and sees the truth each time."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing import services
from billing.models import PaymentAttempt
from billing.payfip.simulator.server import running
from tests.billing.payfip.orders import money_of
from tests.factories import InvoiceLineFactory, PayFiPAccountFactory

BACK = "Revenir sur le site du conservatoire"
WAYS = pytest.mark.parametrize(
    ("width", "javascript"), [(360, True), (360, False), (1280, True)], ids=str
)
OUTCOMES = {
    "Payer par carte": ("Paiement reçu", [("38.00", "online")]),
    "Payer par prélèvement": ("Prélèvement accepté", [("38.00", "debit")]),
    "La carte est refusée": ("Paiement refusé", []),
    "Le prélèvement est refusé": ("Paiement refusé", []),
    "Annuler": ("Paiement annulé", []),
}


@pytest.fixture
def payfip(settings, live_server):
    with running() as simulator:
        settings.PAYFIP_URL, settings.SITE_URL = simulator.url, live_server.url
        settings.PAYFIP_TEST_ALLOWED = True
        yield simulator


@pytest.fixture
def invoice(family, accountant, payfip):
    draft = InvoiceLineFactory(invoice__family=family).invoice
    PayFiPAccountFactory(establishment=draft.establishment)
    return services.issue(draft, actor=accountant)


def check(visitor):
    """The page as it stands, by axe and by its width."""
    if visitor.javascript:
        assert visitor.axe() == []
        assert not visitor.overflows()


def leave(visitor, parent, invoice):
    """From the invoice to PayFiP's page."""
    page = visitor.sign_in_as(parent).page
    page.goto(reverse("billing:invoice", args=[invoice.pk]))
    check(visitor)
    page.get_by_role("button", name="Payer 38,00 € en ligne").click()
    expect(page).to_have_title("Payer 38,00 € – Conservatoire")
    check(visitor)
    page.get_by_role("link", name="Continuer sur PayFiP").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payer 38,00 €")
    expect(page.get_by_text("Simulateur PayFiP")).to_be_visible()
    check(visitor)
    return page


def title(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


@WAYS
@pytest.mark.parametrize("choice", OUTCOMES)
def test_she_sees_what_became_of_it(visit, parent, invoice, payfip, width, javascript, choice):
    outcome, money = OUTCOMES[choice]
    payfip.operations.moods.notify = "before" if javascript else "never"
    visitor = visit(width=width, javascript=javascript)
    page = leave(visitor, parent, invoice)

    page.get_by_role("button", name=choice, exact=True).click()
    check(visitor)
    page.get_by_role("link", name=BACK).click()

    title(page, outcome)
    check(visitor)
    assert money_of(invoice) == money
    page.get_by_role("link", name="Revenir à la facture").click()
    again = page.get_by_role("button", name="Payer 38,00 € en ligne")
    expect(again).to_have_count(0 if money else 1)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_result_comes_late_and_the_page_finds_it_by_itself(
    visit, parent, invoice, payfip, javascript
):
    payfip.operations.moods.notify = "never"
    payfip.operations.moods.late_answers = 2
    visitor = visit(width=360, javascript=javascript)
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()

    page.get_by_role("link", name=BACK).click()

    title(page, "Vérification en cours")
    check(visitor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Paiement reçu", timeout=30_000)
    assert money_of(invoice) == [("38.00", "online")]


def test_she_stops_the_refreshing_and_does_it_herself(visit, parent, invoice, payfip):
    payfip.operations.moods.notify = "never"
    payfip.operations.moods.late_answers = 100
    page = leave(visit(width=360), parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()
    page.get_by_role("link", name=BACK).click()
    page.get_by_role("link", name="Ne plus actualiser").click()
    title(page, "Vérification en cours")
    expect(page.get_by_role("link", name="Ne plus actualiser")).to_have_count(0)
    (operation,) = payfip.operations.rows.values()
    operation.late_answers = 0
    page.wait_for_timeout(6_000)
    title(page, "Vérification en cours")

    page.get_by_role("link", name="Actualiser", exact=True).click()

    title(page, "Paiement reçu")


def test_back_from_another_site_by_a_form_and_without_the_cookie(
    visit, parent, invoice, payfip, live_server
):
    """From « 127.0.0.1 » to « localhost », a POST brings no cookie that is SameSite=Lax."""
    assert "localhost" in live_server.url
    payfip.operations.moods.notify = "never"
    payfip.operations.moods.return_by = "post"
    visitor = visit(width=360)
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()
    # As the site sets it; the one made beside the sign-in page says nothing of SameSite.
    visitor.context.add_cookies([{**one, "sameSite": "Lax"} for one in visitor.context.cookies()])
    seen = []
    page.on("request", lambda request: seen.append((request.method, request.all_headers())))

    page.get_by_role("button", name=BACK).click()

    title(page, "Paiement reçu")
    (posted,) = [headers for method, headers in seen if method == "POST"]
    assert "cookie" not in posted
    assert money_of(invoice) == [("38.00", "online")]


def test_signed_out_meanwhile_she_is_told_to_sign_in(visit, parent, invoice, payfip):
    payfip.operations.moods.notify = "after"
    visitor = visit(width=360)
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()
    visitor.context.clear_cookies()

    page.get_by_role("link", name=BACK).click()

    title(page, "Vérification en cours")
    check(visitor)
    assert "38,00" not in page.inner_text("main")
    assert money_of(invoice) == [("38.00", "online")]
    page.get_by_role("link", name="Me connecter pour voir le résultat").click()
    attempt = PaymentAttempt.objects.get()
    assert f"next=/extranet/facturation/paiement/{attempt.pk}/" in page.url


def test_payfip_away_before_leaving_and_after_coming_back(visit, parent, invoice, payfip):
    payfip.operations.moods.notify = "never"
    payfip.operations.moods.service = "unavailable"
    visitor = visit(width=360)
    page = visitor.sign_in_as(parent).page
    page.goto(reverse("billing:invoice", args=[invoice.pk]))
    page.get_by_role("button", name="Payer 38,00 € en ligne").click()
    expect(page.get_by_text("ne répond pas. Rien n'est débité")).to_be_visible()
    payfip.operations.moods.service = "up"
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()
    payfip.operations.moods.service = "unavailable"

    page.get_by_role("link", name=BACK).click()

    expect(page.get_by_text("Rien n'est perdu")).to_be_visible()
    check(visitor)
    payfip.operations.moods.service = "up"
    expect(page.get_by_role("heading", level=1)).to_have_text("Paiement reçu", timeout=30_000)


def test_the_moods_page_of_the_simulator(visit, payfip):
    visitor = visit(width=360)
    visitor.page.goto(payfip.url.replace("/tpa", "/commandes"))
    check(visitor)
    visitor.page.get_by_label("Le service").select_option(label="est en panne (503)")
    visitor.page.get_by_role("button", name="Appliquer").click()

    expect(visitor.page.get_by_label("Le service")).to_have_value("unavailable")
    assert payfip.operations.moods.service == "unavailable"
