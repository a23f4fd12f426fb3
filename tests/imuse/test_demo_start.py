"""The command on a database that does not hold the demo; test_demo.py looks at what it makes."""

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.private_files import shelves
from families.models import FileToDelete
from imuse.demo import loading


def test_without_debug_is_refused(db):
    with pytest.raises(CommandError, match="que si DEBUG est activé"):
        call_command("demo")

    assert not User.objects.exists()


def test_a_database_that_holds_something_else_is_left_alone(db, settings):
    settings.DEBUG = True
    User.objects.create_user("quelqu.un")

    with pytest.raises(CommandError, match="autre chose que la démonstration"):
        call_command("demo")

    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)  # on PostgreSQL tables are emptied between transactions
def test_reset_starts_over(settings, tmp_path):
    """Rows, private files and mails of before are gone, whatever they were."""
    settings.DEBUG, settings.VAR_DIR = True, tmp_path
    User.objects.create_user("quelqu.un")
    storages["private"].save("ab/orphelin", ContentFile(b"x"))
    mail = tmp_path / "mails" / "20260101-120000-1.log"
    mail.parent.mkdir()
    mail.write_text("Bonjour")

    call_command("demo", "--reset", stdout=StringIO())

    assert loading.is_loaded()
    assert not User.objects.filter(username="quelqu.un").exists()
    assert not storages["private"].exists("ab/orphelin")
    named = {name for s in shelves() for name in s.rows().values_list(s.field, flat=True)}
    named |= set(FileToDelete.objects.values_list("name", flat=True))  # the sender's to delete
    assert named == set(_files(storages["private"]))
    assert not mail.exists()


def _files(storage, folder=""):
    folders, files = storage.listdir(folder)
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _files(storage, f"{folder}/{name}".lstrip("/"))
