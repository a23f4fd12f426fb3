"""The product's own settings, in production, but for plain http on 127.0.0.1.

The benches that start a server use them; bench/environment.py is for those that start none.
"""

from imuse.settings import *  # noqa: F403
from imuse.settings import VAR_DIR

STATIC_ROOT = VAR_DIR / "static"  # gone with the bench's folder
