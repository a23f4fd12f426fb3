"""Invented people: names to draw from, some of which try the typography, and real communes.

The telephone numbers are of the ranges that the ARCEP keeps for fiction.
"""

from families.enums import Zone

COMMUNES = [  # code INSEE, postal code, name, zone
    ("59599", "59200", "Tourcoing", Zone.RESIDENT),
    ("59426", "59960", "Neuville-en-Ferrain", Zone.CONVENTIONED),
    ("59508", "59223", "Roncq", Zone.OUTSIDE),
    ("59421", "59420", "Mouvaux", Zone.OUTSIDE),
    ("59512", "59100", "Roubaix", Zone.OUTSIDE),
    ("59350", "59000", "Lille", Zone.OUTSIDE),
    ("59646", "59290", "Wasquehal", Zone.OUTSIDE),
    ("59378", "59700", "Marcq-en-Barœul", Zone.OUTSIDE),
    ("59279", "59250", "Halluin", Zone.OUTSIDE),
    ("59090", "59910", "Bondues", Zone.OUTSIDE),
    ("59352", "59126", "Linselles", Zone.OUTSIDE),
    ("59650", "59150", "Wattrelos", Zone.OUTSIDE),
    ("59163", "59170", "Croix", Zone.OUTSIDE),
    ("59299", "59510", "Hem", Zone.OUTSIDE),
]

LAST_NAMES = [
    "Dupont", "Leroy", "Desmet", "O'Brien", "Nguyễn", "Le Goff-d'Aux", "Vanhoutte",
    "Vandermeersch-Delannoy de Hautecombe", "Lefèvre", "Carlier", "Deschamps", "Bouchez",
    "Lemaître", "Fontaine", "Haddad", "Kowalski", "Ferrari", "Garnier", "Masson", "Legrand",
    "Noël", "Delcroix", "Baudoin", "Mercier", "Diallo", "Traoré", "Chevalier", "Renard",
    "Wojciechowski", "Boulanger", "Cousin", "Lecomte", "Da Silva", "Mahieu", "Poulain", "Ölmez",
    "Hermant", "Delvaux", "Picard", "Rousseau", "Saïdi", "Tanguy", "Verbeke", "Willems",
    "Yilmaz", "Zielinski", "Blondel", "Castelain", "Debruyne", "Échevin", "Faucon", "Gombert",
    "Houzé",
]  # fmt: skip
ADULT_NAMES = [("Thomas", "Lefebvre"), ("Françoise", "Prud'homme"), ("Émile", "Delannoy")]

PARENTS = [
    "Amélie", "Aurélien", "Bénédicte", "Bruno", "Camille", "Chloé", "Damien", "David", "Élodie",
    "Emmanuel", "Fatima", "Florence", "François", "Gaëlle", "Guillaume", "Hélène", "Isabelle",
    "Jérôme", "Karim", "Laure", "Laurent", "Malika", "Marion", "Mathieu", "Nathalie", "Olivier",
    "Pascale", "Patrick", "Rachid", "Raphaël", "Sabrina", "Sébastien", "Stéphanie", "Sylvain",
    "Thị Lan", "Valérie", "Vincent", "Virginie", "Xavier", "Yasmina",
]  # fmt: skip
CHILDREN = [
    "Adam", "Agathe", "Alice", "Anaïs", "Antoine", "Apolline", "Arthur", "Aya", "Basile",
    "Capucine", "Céleste", "Chloé", "Clément", "Côme", "Éléonore", "Élise", "Emma", "Eva",
    "Gabriel", "Gaspard", "Hanaé", "Imran", "Iris", "Jade", "Jean-Baptiste", "Jules", "Kenza",
    "Léa", "Léo", "Léonie", "Lina", "Louis", "Lucie", "Maël", "Maëlys", "Malo", "Margaux",
    "Mathis", "Mila", "Nathan", "Noé", "Noémie", "Oscar", "Paul", "Rayan", "Romane", "Rose",
    "Sacha", "Salomé", "Samuel", "Sofia", "Sven", "Théodore", "Tom", "Valentine", "Victoire",
    "Yanis", "Zoé", "Marie-Antoinette-Alexandrine",
]  # fmt: skip
STREETS = [
    "rue des Tilleuls", "avenue des Peupliers", "rue de l'Abbé-Lemire", "allée du Canal",
    "rue du Vieux-Moulin", "place de l'Église", "boulevard de l'Égalité", "rue des Fileuses",
    "chemin des Prés", "rue du Haut-Voisinage", "square des Tisserands", "rue Sainte-Barbe",
]  # fmt: skip
EXTRAS = ["", "", "", "", "Appartement 12", "Bâtiment B, 3e étage", "Résidence Les Érables"]

PRIMARY_SCHOOLS = ["École Jean-Macé", "École des Lilas", "École Charles-Perrault"]
MIDDLE_SCHOOLS = ["Collège des Trois-Ponts", "Collège Lucie-Aubrac"]
HIGH_SCHOOLS = ["Lycée du Beffroi"]
CLASSES = {  # by age on the first day of the school year
    4: "moyenne section", 5: "grande section", 6: "CP", 7: "CE1", 8: "CE2", 9: "CM1", 10: "CM2",
    11: "6e", 12: "5e", 13: "4e", 14: "3e", 15: "2de", 16: "1re",
}  # fmt: skip


def mobile_phone(number: int) -> str:
    return f"06 39 98 {number // 100 % 100:02} {number % 100:02}"


def home_phone(number: int) -> str:
    return f"03 53 01 {number // 100 % 100:02} {number % 100:02}"
