"""The environment of a bench, and Django started in it: to be imported before anything of ours.

Everything is written in a folder, and in a database, that are gone at the end.
"""

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import django

_FOLDER = tempfile.TemporaryDirectory(prefix="imuse-bench-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "imuse.settings",
    "SECRET_KEY": "bench",
    "DEBUG": "on",  # static files from their sources, and no HTTPS
    "VAR_DIR": _FOLDER.name,
    "ALLOWED_HOSTS": "testserver",
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_FOLDER.name}/bench.sqlite3")
django.setup()

from django.db import connection  # noqa: E402 -- it can be read by now
from django.test.utils import setup_test_environment  # noqa: E402

setup_test_environment(debug=False)  # the log of queries of DEBUG would be measured too
logging.disable()
warnings.filterwarnings("ignore", "No directory at")  # staticfiles/ is of a production


@contextlib.contextmanager
def fresh_database() -> Iterator[str]:
    """An empty database beside the one that DATABASE_URL names; gives its own DATABASE_URL."""
    url = urlsplit(os.environ["DATABASE_URL"])
    former = connection.settings_dict["NAME"]
    on_disk = connection.vendor == "sqlite"
    connection.settings_dict["TEST"]["NAME"] = (
        f"{_FOLDER.name}/fresh.sqlite3" if on_disk else f"bench_{former}"
    )
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield f"sqlite:///{name}" if on_disk else urlunsplit(url._replace(path=f"/{name}"))
    finally:
        connection.creation.destroy_test_db(former, verbosity=0)


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
