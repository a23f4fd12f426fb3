"""How the passwords are kept: argon2id, at the parameters that OWASP publishes."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OwaspArgon2Hasher(Argon2PasswordHasher):
    """19 MiB, two passes, one thread: the minimum of OWASP's Password Storage Cheat Sheet.

    Django's own (100 MiB, eight threads) take ten times as long: the opening evening would wait at
    the door (docs/performance.md). A hash made with others, which it tells, is made anew at the
    next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
