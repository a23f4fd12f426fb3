from django.urls import reverse

URL = "/extranet/mot-de-passe-perdu/envoye/"


def test_page_hints_at_spam_and_leads_back(client):
    html = client.get(URL).content.decode()

    assert "spams" in html
    assert f'href="{reverse("accounts:sign_in")}">OK</a>' in html


def test_read_only(client):
    assert client.post(URL).status_code == 405
