"""What is read in the text of a document; what is not, rather than something wrong."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.previews.reading import Found, read

TODAY = dt.date(2026, 6, 10)
MAY = dt.date(2026, 5, 1)

CAF = """Caisse d'Allocations familiales du Nord
59863 LILLE CEDEX 9
Attestation de paiement et de quotient familial
Numéro allocataire : 1234567
Le directeur de la Caf certifie que M. et Mme MARTIN ont bénéficié des prestations suivantes
au mois d'avril 2026 : Allocations familiales 148,52 €
Enfant : Louise née le 02/03/2015
Votre quotient familial pour le mois de mai 2026 est de 743 €.
Fait à Lille le 12/05/2026. Document valable jusqu'au 31/12/2026."""
MSA = """MSA Nord-Pas de Calais – Attestation de quotient familial
Au titre du mois de mai 2026, votre quotient familial mensuel s'élève à 1 034,50 €.
Arras, le 4 mai 2026"""
TAX = """DIRECTION GÉNÉRALE DES FINANCES PUBLIQUES
Avis d'impôt 2025 établi en 2025 sur les revenus de l'année 2024
Revenu fiscal de référence : 24 310   Nombre de parts : 2,50
Plafonnement du quotient familial : 1 791 €
Date d'établissement : 25/07/2025   Date de mise en recouvrement : 31/07/2025"""


def found(text):
    return read(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CAF, Found(dt.date(2026, 5, 12), Decimal(743), MAY)),
        (MSA, Found(dt.date(2026, 5, 4), Decimal("1034.50"), MAY)),
        (TAX, Found(dt.date(2025, 7, 25), None, None)),
        ("", Found(None, None, None)),
    ],
    ids=["CAF", "MSA", "taxes", "scan"],
)
def test_whole_documents(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Quotient familial : 743",
        "QUOTIENT FAMILIAL\r\n743 €",
        "QF 743,00",
        "Q.F : 743",
        "Quotient\u00a0familial = 743,00\u00a0€",
        "Quotient familial CNAF (mai 2026) : 743 euros",
        "Quotient familial (05/2026) 743",
        "Votre quotient familial s’élève à 743 €",
        "Quotient familial au 12/05/2026 : 743 €",
        "Quotient familial : 743 €. Rappel, votre quotient familial est de 743 €",
    ],
)
def test_a_quotient(text):
    assert found(text).quotient == 743


def test_a_thousand_and_cents():
    assert found("QF : 1 034,56 €").quotient == Decimal("1034.56")
    assert found("QF : 12\u202f034").quotient == 12_034
    assert found("QF : 0 €").quotient == 0


@pytest.mark.parametrize(
    "text",
    [
        "Revenu fiscal de référence : 24 310 €",
        "Quotient familial : 2,5 parts",
        "Quotient familial non calculé. Ressources : 24 310 €",
        "Quotient familial, numéro allocataire 1234567",
        "Quotient familial de mai 2026",
        "Quotient familial : 743 €. Quotient familial : 812 €",  # which one?
        "Attestation de quotient familial\nNombre d'enfants : 2",
        "Quotient familial 12345678",
    ],
)
def test_no_quotient_rather_than_another_figure(text):
    assert found(text).quotient is None


def test_of_several_months_the_latest():
    text = "Quotient familial mars 2026 : 700 €\nQuotient familial avril 2026 : 743 €"

    assert (found(text).quotient, found(text).month) == (743, dt.date(2026, 4, 1))


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("12/05/2026", dt.date(2026, 5, 12)),
        ("12-05-2026", dt.date(2026, 5, 12)),
        ("12.05.2026", dt.date(2026, 5, 12)),
        ("le 12 mai 2026", dt.date(2026, 5, 12)),
        ("Lille, le 1er février 2026", dt.date(2026, 2, 1)),
        ("mai 2026", MAY),
        ("Quittance de loyer — Août 2025", dt.date(2025, 8, 1)),
        ("Facture du 3/5/2026, à payer avant le 20/05/2026", dt.date(2026, 5, 3)),
        ("Période du 01/01/2026 au 31/03/2026", dt.date(2026, 3, 31)),
        ("Née le 02/03/2015. Établi le 4 mai 2026", dt.date(2026, 5, 4)),
        ("Date de naissance : 02/03/2015", None),
        ("31/02/2026", None),
        ("Valable jusqu'au 31/12/2026", None),  # to come
        ("12/05/1987", None),
        ("Contrat 112/05/20261", None),
    ],
)
def test_a_date(text, date):
    assert found(text).date == date


@given(st.text(max_size=400))
def test_nothing_breaks_it(text):
    read("Quotient familial " + text, today=TODAY)
