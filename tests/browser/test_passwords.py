"""The rules of a new password, ticked as one types."""

from django.urls import reverse


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
