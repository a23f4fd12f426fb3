"""The simulator's side of the SOAP: an envelope in, an envelope out."""

from billing.payfip import soap
from billing.payfip.simulator.operations import FAULTS, UNKNOWN_CLIENT, Fault, Operations

CLIENT = ["REGIE DE DEMONSTRATION", "CONSERVATOIRE", "SIMULATEUR PAYFIP"]


def answer(operations: Operations, content: bytes) -> tuple[int, bytes]:
    """The HTTP status and the body."""
    try:
        name, fields = soap.read(content)
        operations.calls.append(name)
        given = _OPERATIONS[name](operations, fields)
    except (soap.Malformed, KeyError) as error:
        return 500, technical("TechProtocolaireErreur", f"Message illisible\u00a0: {error}")
    except Fault as fault:
        label = FAULTS[fault.code]
        facts = {"code": fault.code, "descriptif": "", "libelle": label, "severite": "2"}
        return 500, soap.write_fault(soap.FUNCTIONAL, facts)
    return 200, soap.write(f"{name}Response", "return", given)


def technical(kind: str, label: str) -> bytes:
    return soap.write_fault(kind, {"code": "TECH", "libelle": label, "severite": "3"})


def _create(operations, fields):
    return {"idOp": operations.create(fields).idop}


def _detail(operations, fields):
    return operations.detail(fields.get("idOp", ""))


def _client(operations, fields):
    numcli = fields.get("numCli", "")
    if not numcli.isdigit() or len(numcli) != 6:
        raise Fault("T1")
    if numcli == UNKNOWN_CLIENT:
        raise Fault("T2")
    lines = {f"libelleN{number}": text for number, text in enumerate(CLIENT, start=1)}
    return {**lines, "numcli": numcli}


_OPERATIONS = {
    "creerPaiementSecurise": _create,
    "recupererDetailPaiementSecurise": _detail,
    "recupererDetailClient": _client,
}
