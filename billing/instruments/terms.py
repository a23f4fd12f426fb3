"""The clauses of a contract: those of the establishment when the rental is begun."""

from accounts.models import Establishment
from billing.models import RentalTerms

FIRST = "1"
PROPOSED = [  # the first version of an establishment that has written none
    "L'instrument reste la propriété de l'établissement. Il est loué à l'élève nommé ci-dessus, qui"
    " seul en joue\u00a0: il n'est ni prêté, ni sous-loué.",
    "Le foyer assure l'instrument contre le vol, la perte et les dommages, pour la valeur écrite"
    " ci-dessus et pour toute la durée de la location. L'attestation est remise avant"
    " l'instrument, puis à chaque renouvellement.",
    "Le foyer signale tout dommage sans attendre. Les réparations sont confiées à un luthier ou à"
    " un facteur par l'établissement, jamais par le foyer. Les cordes, anches et autres pièces"
    " d'usure sont à la charge du foyer.",
    "L'instrument est rendu le dernier jour de la location au plus tard, dans l'état noté à la"
    " remise, avec ses accessoires. L'état est noté à nouveau au retour.",
    "Le loyer est dû pour chaque mois commencé, sans dépasser celui d'une année entière.",
    "Le dépôt de garantie est rendu au retour de l'instrument. Il est gardé, en partie ou en"
    " totalité, si l'instrument est abîmé ou n'est pas rendu\u00a0: le motif est alors donné par"
    " écrit.",
]


def terms_of(establishment: Establishment) -> RentalTerms:
    """Its latest version; the first one is written from what is proposed."""
    terms = RentalTerms.objects.filter(establishment=establishment).order_by("-pk").first()
    if terms is None:
        terms, _ = RentalTerms.objects.get_or_create(
            establishment=establishment,
            version=FIRST,
            defaults={"text": "\n\n".join(PROPOSED)},
        )
    return terms
