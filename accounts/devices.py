"""A browser's own description, as its owner would say it: « Chrome sur Android »."""

# The first that is found counts: most of them also claim to be Chrome or Safari.
_BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
]
_SYSTEMS = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
]


def readable(user_agent: str) -> str:
    """Anybody may write anything there: only words of ours come out."""
    browser = _first(_BROWSERS, user_agent) or "Navigateur inconnu"
    system = _first(_SYSTEMS, user_agent)
    return f"{browser} sur {system}" if system else browser


def _first(names, user_agent):
    return next((name for mark, name in names if mark in user_agent), "")
