"""The rules of a new password, ticked as one types."""

from django.urls import reverse

from tests.factories import PASSWORD

# As fingers do: the first answer is on its way at the second click.
TWICE = "button => { button.click(); setTimeout(() => button.click(), 20); }"


def kept(page):
    return page.locator(".password-rules .kept").all_inner_texts()


def test_rules_are_ticked_as_one_types_and_a_paste_is_allowed(visit, parent):
    visitor = visit(width=320).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("accounts:change_password"))
    field = page.get_by_label("Nouveau mot de passe", exact=True)
    assert kept(page) == []

    field.press_sequentially("martin7")
    assert kept(page) == ["une minuscule", "un chiffre"]

    field.fill("Violoncelle7")  # at once, as a paste does
    assert len(kept(page)) == 5
    page.get_by_text("Le mot de passe respecte les règles affichées.").wait_for(state="attached")
    assert visitor.axe() == []
    assert not visitor.overflows()


def test_without_javascript_the_help_tells_the_rules(visit, parent):
    page = visit(javascript=False).sign_in_as(parent).page
    page.goto(reverse("accounts:change_password"))

    assert page.get_by_text("une longueur comprise entre 8 et 20 caractères").is_visible()
    assert not page.locator(".password-rules").is_visible()


def test_a_double_click_saves_the_password_and_leaves_one_signed_in(visit, parent):
    """The first click gives the session another id: the second one would come as a stranger."""
    page = visit().sign_in_as(parent).page
    page.goto(reverse("accounts:change_password"))
    page.get_by_label("Mot de passe actuel", exact=True).fill(PASSWORD)
    page.get_by_label("Nouveau mot de passe", exact=True).fill("Violoncelle7")
    page.get_by_label("Nouveau mot de passe, une seconde fois", exact=True).fill("Violoncelle7")

    page.get_by_role("button", name="Changer").evaluate(TWICE)

    page.get_by_text("Votre mot de passe est changé.").wait_for()


def test_a_double_click_closes_the_other_sessions_and_leaves_this_one(visit, parent):
    page = visit().sign_in_as(parent).page
    page.goto(reverse("accounts:connections"))

    page.get_by_role("button", name="Se déconnecter de tous les autres").evaluate(TWICE)

    page.get_by_text("Vos autres appareils sont déconnectés.").wait_for()
