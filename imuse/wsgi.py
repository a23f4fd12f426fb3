"""The door for gunicorn: `gunicorn imuse.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imuse.settings")

application = get_wsgi_application()
