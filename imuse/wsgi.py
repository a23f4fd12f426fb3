"""The door for gunicorn: `gunicorn imuse.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imuse.settings")

application = get_wsgi_application()

# A page makes some 20,000 objects and no cycle worth a search: by Python's own thresholds, thirty
# searches a page, 6 % of its time (docs/performance.md). What is loaded by now stays anyhow.
gc.freeze()
gc.set_threshold(50_000, 20, 20)
