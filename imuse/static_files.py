"""The static files, under names that change with what they hold."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """The address of each file is worked out once by process: a page names twenty."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._addresses = {}

    def url(self, name, force=False):
        key = name, force
        if key not in self._addresses:
            self._addresses[key] = super().url(name, force)
        return self._addresses[key]
