"""Widgets written at once are, to the letter, what Django's templates make of them."""

import datetime as dt
from decimal import Decimal
from itertools import product

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

from imuse.form_renderer import FormRenderer

VALUES = [None, "", "O'Brien & <fils>", 'dit "le grand"', mark_safe("<b>"), 0, 1250, True, "é\n"]
ATTRS = [
    {},
    {"class": "a b", "id": 'id_"x"'},
    {"required": True, "disabled": False, "data-reveal": True, "maxlength": 200},
    {"data-max": Decimal("12.50"), "placeholder": lazystr("Nom & prénom"), "title": ("a", "b")},
]
INPUTS = [
    forms.TextInput,
    forms.NumberInput,
    forms.EmailInput,
    forms.URLInput,
    forms.TelInput,
    forms.SearchInput,
    forms.ColorInput,
    forms.HiddenInput,
    forms.PasswordInput,
    forms.DateInput,
    forms.DateTimeInput,
    forms.TimeInput,
    forms.FileInput,
    forms.CheckboxInput,
    forms.Textarea,
]
CHOICES = [
    ("", "Choisissez…"),
    (3, "Trois & demi"),
    ("<4>", mark_safe("<i>quatre</i>")),
    (5, 1250),
    (6, dt.date(2026, 9, 1)),
    (7, Decimal("1250.5")),
    ("Groupe <a>", [(8, "huit"), (9, lazystr("neuf"))]),
]


def same(widget, value, attrs):
    ours, theirs = (
        widget.render("le-nom<>", value, attrs, renderer=renderer)
        for renderer in (FormRenderer(), TemplatesSetting())
    )
    assert ours == theirs
    return ours


@pytest.mark.parametrize("widget", INPUTS)
def test_a_field_is_written_as_its_template_does(widget):
    for value, attrs in product(VALUES, ATTRS):
        assert same(widget(), value, attrs)


@pytest.mark.parametrize("widget", [forms.Select, forms.SelectMultiple])
def test_a_list_is_written_as_its_template_does(widget):
    for value, attrs in product([None, "", 3, "<4>", "9", ["3", 8]], ATTRS):
        assert same(widget(choices=CHOICES), value, attrs)


@pytest.mark.parametrize(
    "widget",
    [
        forms.RadioSelect(choices=CHOICES[:3]),
        forms.CheckboxSelectMultiple(choices=CHOICES[:3]),
        forms.SplitDateTimeWidget(),
        forms.ClearableFileInput(),
    ],
)
def test_any_other_keeps_its_template(widget):
    assert same(widget, None, {"id": "id_x"})


def test_what_is_typed_is_never_markup():
    html = FormRenderer().render(
        "django/forms/widgets/text.html", forms.TextInput().get_context("n", '"><script>', {})
    )

    assert "<script" not in html


def test_it_is_the_one_of_the_site():
    form = forms.Form()

    assert isinstance(form.renderer, FormRenderer)
