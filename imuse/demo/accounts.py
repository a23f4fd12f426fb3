"""The accounts to try, and how the demo makes an account."""

from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from accounts import roles
from accounts.models import Establishment, User
from accounts.names import sort_key
from imuse.demo.clock import Clock

PASSWORD = "Conservatoire1"
SITE = "Conservatoire"  # the one that all of them may choose


class Account(NamedTuple):
    username: str
    who: str
    to_try: str


ACCOUNTS = [
    Account(
        "martin.c",
        "famille de Tourcoing, deux enfants",
        "réinscrire un enfant de bout en bout, puis le second\u00a0; payer une location en ligne",
    ),
    Account(
        "benali.n",
        "premier foyer d'un enfant en garde alternée",
        "finir le brouillon, répondre à la place proposée",
    ),
    Account("benali.s", "second foyer du même enfant", "y ajouter ses propres pièces"),
    Account(
        "dubois.p",
        "famille de Lille, dossier à compléter",
        "remplacer la pièce refusée et déposer à nouveau",
    ),
    Account(
        "vasseur.c", "enseignante", "ses classes, une liste à imprimer, un message à une classe"
    ),
    Account(
        "secretariat",
        "administration",
        "examiner un dossier, placer l'élève, valider\u00a0; fusionner les deux foyers Haddad",
    ),
    Account("regie", "régie, facturation seulement", "les factures, un paiement"),
    Account(
        "direction",
        "direction des deux sites",
        "les comptes des agents, changer de site, une demande d'effacement",
    ),
]


class Register:
    """Collects the accounts to make, then makes them all at once: one hash serves them all."""

    def __init__(self, clock: Clock):
        self.joined = clock.moment(-1000, 9)
        self.password = make_password(PASSWORD)
        self.users = {}

    def add(self, first_name: str, last_name: str, *, username: str = "", **fields) -> User:
        """An account not saved yet; its identifiant is « martin.c », « martin.c2 »…"""
        username = username or self._free_username(first_name, last_name)
        self.users[username] = User(
            username=username,
            first_name=first_name,
            last_name=last_name,
            email=fields.pop("email", "") or address(first_name, last_name),
            password=self.password,
            date_joined=self.joined,
            **fields,
        )
        return self.users[username]

    def save(self, site: Establishment) -> None:
        """Makes the accounts, all of them of this site."""
        users = User.objects.bulk_create(self.users.values())
        sites = User.establishments.through
        sites.objects.bulk_create(sites(user=user, establishment=site) for user in users)

    def _free_username(self, first_name, last_name):
        wanted = f"{_letters(last_name)}.{_letters(first_name)[0]}"
        number = 2
        username = wanted
        while username in self.users:
            username, number = f"{wanted}{number}", number + 1
        return username


def make_staff(register: Register) -> None:
    register.add("Sophie", "Lambert", username="secretariat", is_staff=True)
    register.add("Michel", "Dujardin", username="regie", is_staff=True)
    register.add("Catherine", "Wallaert", username="direction", is_staff=True)


def give_roles(sites: list[Establishment]) -> None:
    """The groups, and every site for the staff."""
    roles.sync()
    given = {
        "secretariat": roles.SECRETARIAT,
        "regie": roles.REGIE,
        "direction": roles.DIRECTION,
    }
    for username, role in given.items():
        User.objects.get(username=username).groups.add(Group.objects.get(name=role))
    for user in User.objects.filter(is_staff=True):
        user.establishments.set(sites)


def address(first_name: str, last_name: str, domain: str = "example.org") -> str:
    """An e-mail address of a domain that belongs to nobody (RFC 2606)."""
    return f"{_letters(first_name)}.{_letters(last_name)}@{domain}"


def _letters(name):
    return "".join(c for c in sort_key(name) if c.isalnum())
