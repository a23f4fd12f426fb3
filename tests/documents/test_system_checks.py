"""A site without libmagic says so when it starts."""

import sys

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from documents import magic_loader


@pytest.fixture
def without_libmagic(monkeypatch):
    """Neither on the system nor by pylibmagic."""

    def fail():
        raise ImportError("failed to find libmagic")

    monkeypatch.setattr(magic_loader, "_open_libmagic", fail)
    monkeypatch.setitem(sys.modules, "pylibmagic", None)
    magic_loader._detector.cache_clear()
    yield
    magic_loader._detector.cache_clear()


def errors():
    return [error for error in run_checks() if error.id == "documents.E001"]


def test_with_libmagic_there_is_nothing_to_say():
    assert errors() == []


@pytest.mark.usefixtures("without_libmagic")
def test_without_it_the_sentence_names_the_package():
    [error] = errors()

    assert error.msg == (
        "La bibliothèque libmagic est introuvable\u00a0: installez le paquet Debian "
        "libmagic1 (apt-get install libmagic1), puis relancez le site."
    )


@pytest.mark.usefixtures("without_libmagic")
def test_the_command_stops():
    with pytest.raises(SystemCheckError, match="libmagic1"):
        call_command("check")
