"""The figures in Markdown, ratios first, as docs/performance.md holds them; pure functions."""

from bench import sign_ins, uploads
from bench.evening import LIMIT, Evening
from bench.measures import Sample, french, percentile, spread
from bench.pages import FLOOR_QUERIES, QUERY_MS, Page
from bench.picks import FLOOR_SHAPES, Race

AIM = 1.5  # two thirds of the floor's pages per second
GROWTH = 1.2
PICKS = 0.7  # of the floor's claims, by the shape that goes fastest in the issue: the counter
P95 = 1.0  # seconds

_SHAPES = {
    "counter": "compteur, `UPDATE … WHERE`",
    "count": "compteur, verrou puis `COUNT`",
    "rows": "lignes, verrou du créneau (notre forme)",
    "rows_at_once": "lignes, un seul `UPDATE` (`SKIP LOCKED`)",
}


def pages_table(pages: list[Page]) -> list[str]:
    lines = [
        "Chaque page à côté du plancher, médiane (min–max) des tours. « Permis » : le CPU du"
        f" plancher, plus {QUERY_MS:.0f} ms pour chaque requête au-delà de ses {FLOOR_QUERIES}.",
        "",
        "| Page | CPU / plancher | 20 000 / 900 élèves | CPU | permis | requêtes | pages/s"
        " | p50 | p95 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_page_line(page) for page in pages]
    floor = [sample for page in pages for sample in page.floor]
    rate, p50, p95 = _speed(floor)
    cpu = _number(spread(sample.cpu_ms for sample in floor).median)
    return [*lines, f"| *plancher* | 1 | | {cpu} ms | | {FLOOR_QUERIES} | {rate} | {p50} | {p95} |"]


def _page_line(page):
    rate, p50, p95 = _speed(page.small)
    return (
        f"| {page.name} | {page.cpu_ratio} | {page.growth or 'non mesuré'}"
        f" | {_number(page.cpu_ms)} ms | {_number(page.allowed_ms)} ms | {page.queries}"
        f" | {rate} | {p50} | {p95} |"
    )


def picks_table(races: list[Race]) -> list[str]:
    lines = [
        "400 clients au même instant ; par seconde, médiane (min–max) des tours.",
        "",
        "| Sur | choix / plancher (compteur) | choix | CPU d'un choix | dépôts | CPU d'un dépôt"
        " | le même SQL par pgbench |",
        "|---|---|---|---|---|---|---|",
    ]
    for race in races:
        sql = format(spread(race.sql), ".0f") if race.sql else "pgbench introuvable"
        lines.append(
            f"| {race.name} | {_to_floor(race)} | {_rates(race.picks)} | {_cpu(race.picks)}"
            f" | {_rates(race.submissions)} | {_cpu(race.submissions)} | {sql} |"
        )
    return lines


def shapes_table(races: list[Race]) -> list[str]:
    """Places as rows, or as a counter: the same claim view in each shape."""
    names = [race.name for race in races]
    lines = [
        "Prendre une place dans le plancher, selon la forme des places : par seconde.",
        "",
        f"| Forme | {' | '.join(names)} | CPU |",
        f"|---|{'---|' * len(names)}---|",
    ]
    for shape in FLOOR_SHAPES:
        rates = " | ".join(_rates(race.floor[shape]) for race in races)
        samples = [sample for race in races for sample in race.floor[shape]]
        lines.append(f"| {_SHAPES[shape]} | {rates} | {_cpu(samples)} |")
    return lines


def sign_ins_line(samples: list[Sample]) -> str:
    return f"Connexions : {_rates(samples)} par seconde, {_cpu(samples)} de CPU chacune."


def evening_table(evening: Evening) -> list[str]:
    refused = sum(len(answers) for answers in evening.refused.values())
    lines = [
        f"{evening.families} familles arrivent en {evening.arrival:.0f} s :"
        f" {evening.submitted} dossiers déposés en {_number(evening.lasted)} s,"
        f" {len(evening.answers)} réponses, {refused} choix refusés car le créneau était complet,"
        f" {evening.failed} réponses 5xx."
        f" p95 hors mot de passe : {_ms(percentile(evening.pages, 95))}.",
        "",
        f"CPU par réponse : {_shares(evening)}.",
        "",
        "| Étape | réponses | p50 | p95 | la plus longue |",
        "|---|---|---|---|---|",
    ]
    for step, answers in evening.steps.items():
        seconds = [answer.seconds for answer in answers]
        lines.append(
            f"| {step} | {len(answers)} | {_ms(percentile(seconds, 50))}"
            f" | {_ms(percentile(seconds, 95))} | {_ms(max(seconds))} |"
        )
    return lines


def uploads_table(rush: uploads.Rush) -> list[str]:
    lines = [
        f"{uploads.FAMILIES} familles envoient sans pause un fichier de 2 Mo, photo ou PDF tour à"
        " tour, et lisent la page après chacun. « À part » : les grandes demandes ont leurs deux"
        " processus, comme dans `deploy/` ; « ensemble » : un seul serveur fait tout.",
        "",
        "| Page | envois | pages/s | p50 | p95 | p50, fois plus long | pages/s, fois moins |",
        "|---|---|---|---|---|---|---|",
    ]
    for page in rush.pages:
        for way, samples in {"aucun": page.alone, **page.during}.items():
            ratios = f"{page.slower(way)} | {page.fewer(way)}" if way in page.during else " | "
            told = " | ".join(_speed(samples))
            lines.append(f"| {page.name} | {way} | {told} | {ratios} |")
    lines += ["", "| Les envois | par seconde | p50 | p95 |", "|---|---|---|---|"]
    for way, samples in rush.sent.items():
        seconds = [value for sample in samples for value in sample.seconds]
        p50, p95 = (_ms(percentile(seconds, rank)) for rank in (50, 95))
        rates = format(spread(sample.per_second for sample in samples), ".1f")
        lines.append(f"| {way} | {rates} | {p50} | {p95} |")
    return lines


def missed_by_pages(pages: list[Page]) -> list[str]:
    """A sentence for each target that the medians do not reach; so do the three others."""
    missed = []
    for page in pages:
        if page.cpu_ms > page.allowed_ms:
            told = f"{_number(page.cpu_ms)} ms de CPU pour {_number(page.allowed_ms)} permis"
            missed.append(f"{page.name} : {told}")
        if page.growth and page.growth.median > GROWTH:
            missed.append(f"{page.name} : {page.growth} de 900 à 20 000 élèves")
    if slow := [page.name for page in pages if page.cpu_ratio.median > AIM]:
        missed.append(f"visée, les deux tiers de la vitesse du plancher : {', '.join(slow)}")
    return missed


def missed_by_races(races: list[Race]) -> list[str]:
    missed = []
    for race in races:
        if _to_floor(race).median < PICKS:
            goal = french(str(PICKS))
            missed.append(f"choix sur {race.name} : {_to_floor(race)} du plancher pour {goal}")
        if race.unfair or race.unclear:
            told = f"{race.unfair} refus injustes, {race.unclear} refus obscurs"
            missed.append(f"choix sur {race.name} : {told}")
    return missed


def missed_by_sign_ins(samples: list[Sample]) -> list[str]:
    rate = spread(sample.per_second for sample in samples)
    if rate.median >= sign_ins.TARGET:
        return []
    return [f"connexions : {rate:.0f} par seconde pour {sign_ins.TARGET}"]


def missed_by_evening(evening: Evening) -> list[str]:
    missed = []
    if evening.lasted > LIMIT:
        missed.append(f"soirée : finie en {_number(evening.lasted)} s pour {LIMIT}")
    if percentile(evening.pages, 95) > P95:
        missed.append(f"soirée : p95 de {_ms(percentile(evening.pages, 95))}")
    if evening.submitted < evening.families:
        missed.append(f"soirée : {evening.submitted} dossiers pour {evening.families} familles")
    if evening.unfair or evening.unclear:
        told = f"{evening.unfair} refus injustes, {evening.unclear} refus obscurs"
        missed.append(f"soirée : {told}")
    return missed


def missed_by_uploads(rush: uploads.Rush) -> list[str]:
    """Of the uploads on a server of their own alone: the other way is there to be compared."""
    missed = []
    for page in rush.pages:
        slower, fewer = page.slower(uploads.APART), page.fewer(uploads.APART)
        if max(slower.median, fewer.median) > uploads.LIMIT:
            told = f"p50 {slower} fois plus long, {fewer} fois moins de pages par seconde"
            missed.append(f"{page.name} pendant les envois : {told}")
    return missed


def _to_floor(race):
    pairs = zip(race.picks, race.floor["counter"], strict=True)
    return spread(pick.per_second / floor.per_second for pick, floor in pairs)


def _speed(samples):
    seconds = [value for sample in samples for value in sample.seconds]
    rate = format(spread(sample.per_second for sample in samples).median, ".0f")
    return rate, _ms(percentile(seconds, 50)), _ms(percentile(seconds, 95))


def _rates(samples):
    return format(spread(sample.per_second for sample in samples), ".0f")


def _cpu(samples):
    return f"{_number(spread(sample.cpu_ms for sample in samples).median)} ms"


def _shares(evening):
    """« site 9,8 ms, base 3,1 ms, clients 1,2 ms »: a busy neighbour changes none of them."""
    each = len(evening.answers) / 1000
    return ", ".join(f"{who} {_number(cpu / each)} ms" for who, cpu in evening.cpu.items())


def _ms(seconds):
    return f"{seconds * 1000:.0f} ms"


def _number(value):
    return french(f"{value:.1f}")
