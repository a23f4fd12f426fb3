"""The envelopes of PayFiP's web service, SOAP 1.1 document/literal, read and written.

The names are those of its published WSDL: one element named after the operation, in the namespace
of the service; inside, `arg0` (or `return` in an answer) whose fields have no namespace.
"""

from collections.abc import Mapping
from xml.etree import ElementTree

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr"
    "/services/mas_securite/contrat_paiement_securise/PaiementSecuriseService"
)
CONTENT_TYPE = "text/xml; charset=utf-8"
FUNCTIONAL = "FonctionnelleErreur"


class Malformed(Exception):
    """Not XML, not SOAP, or with a DTD, which neither side ever sends."""


def write(operation: str, part: str, fields: Mapping[str, str]) -> bytes:
    """An envelope around `operation`, its fields under `part` (« arg0 » or « return »)."""
    body = _body()
    inner = ElementTree.SubElement(
        ElementTree.SubElement(body[0], f"{{{SERVICE}}}{operation}"), part
    )
    for name, value in fields.items():
        ElementTree.SubElement(inner, name).text = value
    return _bytes(body)


def write_fault(kind: str, fields: Mapping[str, str]) -> bytes:
    """A fault of the service: « FonctionnelleErreur », or one of its technical ones."""
    body = _body()
    fault = ElementTree.SubElement(body[0], f"{{{ENVELOPE}}}Fault")
    ElementTree.SubElement(fault, "faultcode").text = "S:Server"
    ElementTree.SubElement(
        fault, "faultstring"
    ).text = f"fr.gouv.finances.cp.tpa.webservice.exceptions.{kind}"
    detail = ElementTree.SubElement(ElementTree.SubElement(fault, "detail"), f"{{{SERVICE}}}{kind}")
    for name, value in fields.items():
        ElementTree.SubElement(detail, name).text = value
    return _bytes(body)


def read(content: bytes) -> tuple[str, dict[str, str]]:
    """The operation, or the kind of fault, and the fields that it carries, stripped.

    A fault without a known detail has the kind « Fault ». Raises Malformed.
    """
    try:
        # An unknown encoding is a LookupError; bytes that are not of theirs, a ValueError.
        root = fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise Malformed(str(error)) from error
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or not len(body):
        raise Malformed("no SOAP envelope with a body")
    inner = body[0]
    if inner.tag == f"{{{ENVELOPE}}}Fault":
        detail = inner.find("detail")
        if detail is None or not len(detail):
            return "Fault", {"libelle": (inner.findtext("faultstring") or "").strip()}
        return _local(detail[0].tag), _fields(detail[0])
    if not inner.tag.startswith(f"{{{SERVICE}}}"):
        raise Malformed(f"unexpected element {inner.tag}")
    return _local(inner.tag), _fields(inner[0]) if len(inner) else {}


def _body():
    ElementTree.register_namespace("soapenv", ENVELOPE)
    envelope = ElementTree.Element(f"{{{ENVELOPE}}}Envelope")
    ElementTree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    return envelope


def _bytes(envelope):
    return ElementTree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def _local(tag):
    return tag.rpartition("}")[2]


def _fields(element):
    return {_local(child.tag): (child.text or "").strip() for child in element}
