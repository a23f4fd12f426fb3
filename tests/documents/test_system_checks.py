"""A site without libmagic says so when it starts."""

import sys

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from documents import magic_loader, system_checks


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


S3 = {
    **{"bucket_name": "pieces", "endpoint_url": "https://s3.example", "region_name": "fr-par"},
    **{"location": "", "addressing_style": "auto", "encryption": "AES256", "kms_key": ""},
    **{"connect_timeout": 3.0, "read_timeout": 10.0},
}


def ids(settings, **given):
    settings.S3 = {**S3, **given}
    found = run_checks(include_deployment_checks=True)
    return [error.id for error in found if error.id[:10] == "documents."]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, []),
        ({"encryption": "aws:kms", "kms_key": "alias/pieces"}, []),
        ({"endpoint_url": None, "region_name": None, "bucket_name": ""}, []),
        ({"bucket_name": ""}, ["documents.E101"]),
        ({"encryption": "AES128"}, ["documents.E103"]),
        ({"kms_key": "alias/pieces"}, ["documents.E104"]),
        ({"addressing_style": "dns"}, ["documents.E105"]),
        ({"read_timeout": 60.0}, ["documents.E106"]),
        ({"connect_timeout": 0.0}, ["documents.E106"]),
        ({"endpoint_url": "http://s3.example"}, ["documents.W101"]),
        ({"encryption": "none"}, ["documents.W102"]),
        ({"region_name": None}, ["documents.W103"]),
    ],
)
def test_the_settings_of_s3_that_contradict_each_other_or_leave_pieces_in_the_clear(
    settings, monkeypatch, given, wrong
):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)

    assert ids(settings, **given) == wrong


def test_s3_needs_boto3(settings, monkeypatch):
    monkeypatch.setattr(system_checks.importlib.util, "find_spec", lambda name: None)

    assert ids(settings) == ["documents.E102"]


@pytest.mark.parametrize(("mode", "wrong"), [(0o700, []), (0o755, ["documents.W104"])])
def test_a_folder_that_everybody_may_read(settings, monkeypatch, tmp_path, mode, wrong):
    tmp_path.chmod(mode)
    # In place: Django makes the storages anew when the setting itself changes.
    options = {"OPTIONS": {"location": str(tmp_path)}}
    monkeypatch.setitem(settings.STORAGES, "private", {**settings.STORAGES["private"], **options})

    assert ids(settings, bucket_name="", endpoint_url=None, region_name=None) == wrong
