import datetime as dt

from tests.factories import RepertoirePieceFactory, SchoolYearFactory, this_year
from tests.queries import FAMILY_PAGE, count_queries


def url_of(student):
    return f"/extranet/eleves/{student.pk}/repertoire/"


def test_this_year_s_pieces_first(client, parent, student):
    client.force_login(parent)
    former = RepertoirePieceFactory(student=student, school_year=SchoolYearFactory(offset=-1))
    satie = RepertoirePieceFactory(
        student=student,
        composer="Erik Satie",
        title="Gymnopédie n° 1",
        occasion="Audition de printemps",
        played_on=dt.date(this_year() + 1, 4, 2),
    )
    debussy = RepertoirePieceFactory(student=student)
    RepertoirePieceFactory()  # another student's

    response = client.get(url_of(student))

    assert list(response.context["pieces"]) == [debussy, satie, former]
    assert f"Audition de printemps, le 2\u00a0avril {this_year() + 1}" in response.text
    headings = [part.split("<")[0] for part in response.text.split('<h3 class="h5">')[1:]]
    assert headings == [str(debussy.school_year), str(former.school_year)]


def test_none(client, parent, student):
    client.force_login(parent)

    text = client.get(url_of(student)).text

    assert f"Aucun morceau n'est encore inscrit au répertoire de {student}." in text


def test_the_number_of_queries_does_not_follow_the_rows(client, parent, student):
    client.force_login(parent)
    RepertoirePieceFactory(student=student)
    one = count_queries(client, url_of(student))
    RepertoirePieceFactory.create_batch(2, student=student)

    assert count_queries(client, url_of(student)) == one <= FAMILY_PAGE
