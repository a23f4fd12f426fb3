"""How many queries a page makes."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

FAMILY_PAGE = 10  # at most, whatever the number of rows, session and account included
WAITING_PAGE = FAMILY_PAGE + 2  # of a student who waits for a place: the rule, the lines


def count_queries(client, url: str) -> int:
    """The queries of a GET that answers 200."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(queries)
