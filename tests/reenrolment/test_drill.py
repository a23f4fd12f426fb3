"""`make drill` on sixty mails: real processes, a real mail server, a database on disk."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.skipif(connection.vendor != "sqlite", reason="make drill-postgres la joue en grand")
def test_sixty_mails_and_two_killed_senders():
    """A process of its own: the senders could not read the tests' database in memory."""
    played = subprocess.run(
        [sys.executable, "-m", "bench.launch", "--mails", "60"],
        cwd=settings.BASE_DIR,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert (played.returncode, played.stderr) == (0, ""), played.stdout
    assert "refusés pour de bon : 2" in played.stdout
    assert "expéditeurs tués : 2" in played.stdout
    assert "suivi : 58 envoyé," in played.stdout
