"""A household pays on PayFiP's page, comes back, and sees the truth each time."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing import services
from billing.models import PaymentAttempt
from billing.payfip import settling
from billing.payfip.simulator.server import running
from tests.billing.payfip.orders import later, money_of
from tests.factories import InvoiceLineFactory, PayFiPAccountFactory

BACK = "Revenir sur le site du conservatoire"
WAYS = pytest.mark.parametrize(
    ("width", "javascript"), [(360, True), (360, False), (1280, True), (1280, False)], ids=str
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


def reach(page, name):
    """By the Tab key; whatever has the focus must show it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if " ".join(focused.inner_text().split()) == name:
            outline = focused.evaluate("e => getComputedStyle(e).outlineStyle")
            shadow = focused.evaluate("e => getComputedStyle(e).boxShadow")
            assert (outline, shadow) != ("none", "none")
            return
    raise AssertionError(f"« {name} » is not reached")


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


def test_back_the_day_after(visit, parent, invoice, payfip):
    """PayFiP told nobody; she closed her computer on its last page."""
    payfip.operations.moods.notify = "never"
    visitor = visit(width=360)
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par prélèvement").click()
    attempt = later(PaymentAttempt.objects.get(), hours=26)
    settling.poll()
    visitor.context.clear_cookies()

    page.get_by_role("link", name=BACK).click()

    title(page, "Vérification en cours")
    visitor.sign_in_as(parent)
    page.goto(reverse("billing:payment", args=[attempt.pk]))
    title(page, "Prélèvement accepté")
    check(visitor)
    assert money_of(invoice) == [("38.00", "debit")]


@WAYS
def test_two_tabs(visit, parent, invoice, payfip, width, javascript):
    """Both lead to one payment; whichever comes second is told so by PayFiP, then by us."""
    payfip.operations.moods.notify = "never"
    visitor = visit(width=width, javascript=javascript)
    other = visitor.sign_in_as(parent).context.new_page()
    other.goto(reverse("billing:invoice", args=[invoice.pk]))
    page = leave(visitor, parent, invoice)
    other.get_by_role("button", name="Payer 38,00 € en ligne").click()
    expect(other).to_have_title("Payer 38,00 € – Conservatoire")
    page.get_by_role("button", name="Payer par carte").click()

    other.get_by_role("link", name="Continuer sur PayFiP").click()
    expect(other.get_by_text("IdOp déjà utilisé")).to_be_visible()
    other.go_back()
    other.reload()

    page.get_by_role("link", name=BACK).click()
    title(page, "Paiement reçu")
    other.reload()
    title(other, "Paiement reçu")
    other.goto(reverse("billing:invoice", args=[invoice.pk]))
    expect(other.get_by_role("button", name="en ligne")).to_have_count(0)
    assert money_of(invoice) == [("38.00", "online")]


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("choice", ["Payer par carte", "Annuler"])
def test_by_the_keyboard_alone(visit, parent, invoice, payfip, javascript, choice):
    payfip.operations.moods.notify = "never"
    page = visit(javascript=javascript).sign_in_as(parent).page
    page.goto(reverse("billing:invoice", args=[invoice.pk]))

    reach(page, "Payer 38,00 € en ligne")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Payer 38,00 € – Conservatoire")
    reach(page, "Continuer sur PayFiP")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Simulateur PayFiP")).to_be_visible()
    reach(page, choice)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=BACK)).to_be_visible()
    reach(page, BACK)
    page.keyboard.press("Enter")

    title(page, "Paiement reçu" if choice == "Payer par carte" else "Paiement annulé")
    reach(page, f"Revenir à la facture {invoice.reference}")
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"Facture {invoice.reference} – Conservatoire")


@pytest.mark.parametrize("width", [360, 1280])
def test_in_doubt_then_looked_at_by_the_regie(visit, parent, invoice, payfip, accountant, width):
    payfip.operations.moods.notify = "before"
    payfip.operations.moods.falsified = {"montant": "3801"}
    visitor = visit(width=width)
    page = leave(visitor, parent, invoice)
    page.get_by_role("button", name="Payer par carte").click()
    page.get_by_role("link", name=BACK).click()
    title(page, "Paiement à vérifier")
    check(visitor)
    attempt = PaymentAttempt.objects.get()
    desk = visit(width=width).sign_in_as(accountant)
    at_desk = desk.page
    at_desk.goto(reverse("admin:billing_paymentattempt_change", args=[attempt.pk]))
    expect(at_desk.get_by_text("La famille lit de ne pas payer")).to_be_visible()
    check(desk)

    at_desk.get_by_role("button", name="Classer").click()

    expect(at_desk.get_by_text("La famille lit que ce paiement est vérifié")).to_be_visible()
    check(desk)
    page.reload()
    title(page, "Paiement vérifié")
    check(visitor)
    expect(page.get_by_role("button", name="Payer 38,00 € en ligne")).to_be_visible()


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
