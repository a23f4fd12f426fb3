"""How a form is drawn: templates/bootstrap5/ and layout/_error_summary.html."""

from html.parser import HTMLParser

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.template.loader import render_to_string


class Example(forms.Form):
    name = forms.CharField(label="Nom", help_text="Celui de l'état civil.")
    phone = forms.CharField(label="Téléphone", required=False)
    site = forms.ChoiceField(label="Site", choices=[("a", "A")])
    custody = forms.ChoiceField(
        label="Garde", choices=[("a", "Alternée"), ("b", "Exclusive")], widget=forms.RadioSelect
    )
    accept = forms.BooleanField(label="J'accepte")
    seen = forms.CharField(widget=forms.HiddenInput)

    def clean(self):
        raise forms.ValidationError("Tout est à revoir.")


class Ids(HTMLParser):
    """Every element of the page by its id, and the order of the ids."""

    def __init__(self, html):
        super().__init__()
        self.elements = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            assert attrs["id"] not in self.elements
            self.elements[attrs["id"]] = attrs


@pytest.fixture
def wrong():
    form = Example({})
    assert not form.is_valid()
    return form


@pytest.mark.parametrize("name", ["name", "site", "accept"])
def test_a_field_in_error_is_tied_to_its_sentence(wrong, name):
    elements = Ids(render_crispy_form(wrong)).elements

    field = elements[f"id_{name}"]
    assert field["aria-invalid"] == "true"
    assert f"id_{name}_error" in field["aria-describedby"].split()
    assert set(field["aria-describedby"].split()) <= set(elements)
    assert "is-invalid" in field["class"].split()


def test_label_hint_and_error_come_before_the_field(wrong):
    ids = list(Ids(render_crispy_form(wrong)).elements)

    order = ["div_id_name", "id_name_helptext", "id_name_error", "id_name"]
    assert [each for each in ids if each in order] == order


def test_a_group_of_choices_is_a_fieldset_tied_to_its_sentence(wrong):
    html = render_crispy_form(wrong)

    assert "<fieldset" in html
    assert Ids(html).elements["id_custody"]["aria-describedby"] == "id_custody_error"


def test_what_is_not_required_says_so(wrong):
    html = render_crispy_form(wrong)

    assert html.count('<span class="optional">(facultatif)</span>') == 1
    assert "*" not in html


def test_the_errors_of_the_whole_form_are_in_the_summary_only(wrong):
    assert "Tout est à revoir." not in render_crispy_form(wrong)
    assert "<li>Tout est à revoir.</li>" in summary(form=wrong)


def test_the_summary_leads_to_each_field(wrong):
    html = summary(form=wrong)
    elements = Ids(render_crispy_form(wrong)).elements

    targets = [part.split('"')[0] for part in html.split('href="#')[1:]]
    assert targets == ["id_name", "id_site", "id_custody", "id_accept"]
    assert set(targets) <= set(elements)
    assert 'role="alert"' in html


def test_the_summary_of_a_list_of_errors():
    html = summary(errors=[("", "La période est close."), ("id_x", "Choisissez un horaire.")])

    assert "<li>La période est close.</li>" in html
    assert '<li><a href="#id_x">Choisissez un horaire.</a></li>' in html


def test_no_summary_when_all_is_well():
    assert summary(form=Example()).strip() == ""


def summary(**context):
    return render_to_string("layout/_error_summary.html", context)
