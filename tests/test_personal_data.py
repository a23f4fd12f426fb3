"""Nothing about a household is forgotten: neither in its copy nor, by whoever adds to it, later."""

import pytest

from accounts.enums import MailKind
from families.holdings import parts
from tests.test_consistency import OUR_MODELS

PARTS = parts()
EXPORTED = {model: names for part in PARTS for model, names in part.exported.items()}
NOT_EXPORTED = {label: why for part in PARTS for label, why in part.not_exported.items()}


def fields_of(model):
    """Without the key, when it is only a number of ours."""
    fields = [*model._meta.local_fields, *model._meta.local_many_to_many]
    return {field.name for field in fields if not field.auto_created}


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model._meta.label)
def test_each_field_is_in_the_copy_or_stands_in_the_table_that_says_why_not(model):
    label = model._meta.label
    exported = set(EXPORTED.get(model, []))
    excused = {name for name in fields_of(model) if f"{label}.{name}" in NOT_EXPORTED}
    if label in NOT_EXPORTED:
        assert not exported
        return

    assert exported | excused == fields_of(model)
    assert exported & excused == set()


def test_the_table_names_nothing_that_is_gone():
    known = {model._meta.label for model in OUR_MODELS}
    known |= {f"{model._meta.label}.{name}" for model in OUR_MODELS for name in fields_of(model)}

    assert set(NOT_EXPORTED) - known == set()
    assert all(NOT_EXPORTED.values())


def test_each_kind_of_mail_is_found_by_one_part():
    kinds = [kind for part in PARTS for kind in part.mail_kinds]

    assert sorted(kinds) == sorted(MailKind.values)


def test_each_app_with_models_has_its_part():
    modules = {type(part).__module__.split(".")[0] for part in PARTS}
    # accounts knows no family: the part of families brings what it holds.
    expected = {model._meta.app_label for model in OUR_MODELS} - {"accounts"}

    assert modules == expected
