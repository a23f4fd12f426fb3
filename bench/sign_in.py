"""Times the five kinds of refused sign-in, over the whole site, with Argon2 (`make bench`).

Ends with 1 if a median stands 10 % or more above another: the time would tell what was wrong.
"""

import logging
import os
import statistics
import sys
import tempfile
import time

ROUNDS = 25
LIMIT = 0.10
TYPED = "Mauvais-mot-de-passe-1"
KINDS = ["identifiant inconnu", "mot de passe faux", "autre site", "compte inactif", "suspendu"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "imuse.settings",
            "SECRET_KEY": "bench",
            "DEBUG": "on",
            "VAR_DIR": folder,
            "ALLOWED_HOSTS": "testserver",
        }
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        times = _measure()
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    gap = max(medians.values()) / min(medians.values()) - 1
    for kind, median in medians.items():
        sys.stdout.write(f"{kind:<20} {median * 1000:7.1f} ms\n")
    sys.stdout.write(f"écart : {gap:.1%} (limite : {LIMIT:.0%})\n")
    return gap >= LIMIT


def _measure():
    import django  # noqa: PLC0415 -- the settings stand in the environment by now

    django.setup()
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from accounts import throttling  # noqa: PLC0415
    from accounts.models import Establishment  # noqa: PLC0415

    logging.disable()
    call_command("migrate", verbosity=0)
    chosen, other = (
        Establishment.objects.create(name=name, address="-", email="a@example.org", phone="-")
        for name in ("Conservatoire", "Autre")
    )
    maker = get_user_model()(username="modele")
    maker.set_password("Bon-mot-de-passe-1")
    times = {kind: [] for kind in KINDS}
    for number in range(ROUNDS + 1):
        for kind in KINDS:  # one after the other, so that a slow moment falls on all
            username = f"compte{KINDS.index(kind)}.{number}"
            if kind != "identifiant inconnu":
                user = get_user_model().objects.create(
                    username=username, password=maker.password, is_active=kind != "compte inactif"
                )
                user.establishments.set([other if kind == "autre site" else chosen])
            for _ in range(5 if kind == "suspendu" else 0):
                throttling.begin(username, "")
            client = Client(REMOTE_ADDR=f"10.0.{KINDS.index(kind)}.{number}")
            typed = {"establishment": chosen.pk, "username": username, "password": TYPED}
            start = time.perf_counter()
            response = client.post("/extranet/connexion/", typed)
            taken = time.perf_counter() - start
            if response.status_code != 200:
                raise SystemExit(f"{kind} : réponse {response.status_code}")
            if number:  # the first round warms up
                times[kind].append(taken)
    return times


if __name__ == "__main__":
    sys.exit(main())
