"""Names of files, as parents write them and as attackers do; the content is always honest."""

from tests.documents.builders import make_jpeg, make_pdf
from tests.documents.corpus.case import jpeg, pdf

REFUSED = "name_not_allowed"
HONEST = [
    "IMG_1234.JPG", "IMG-20260601-WA0007.jpg", "Photo 01-06-2026 09 30 00.jpg",
    "PXL_20260601.MP.jpg",
    "image (1).jpeg", "20260601_093000(0).jpg",
]  # fmt: skip
HONEST_PDFS = [
    "Avis d-imposition (2026).PDF", "Scan.pdf", "Document 1.pdf", "avis...pdf", "-rf.pdf", "_.pdf",
    "CON.pdf", "a.exe.pdf", " avis.pdf ", "quittance_2026-06.pdf", "a" * 96 + ".pdf",
    r"C:\fakepath\avis.pdf", r"C:\Users\Léa\avis.pdf",
]  # fmt: skip
SPECIAL = [
    "Reçu.pdf", "Rec\u0327u.pdf", "Attestation d’assurance.pdf", "avis d'impot.pdf", "Numérisé.pdf",
    "n°1.pdf", "50%.pdf", "a&b.pdf", "a;b.pdf", "a=b.pdf", "a@b.pdf", "a#b.pdf", "a+b.pdf",
    "a,b.pdf",
    "[1].pdf", "{1}.pdf", "a~1.pdf", "$HOME.pdf", "`id`.pdf", "a|b.pdf", "a*.pdf", "a?.pdf",
    "<script>.pdf", '"a".pdf', "a:b.pdf", "документ.pdf", "文件.pdf", "ملف.pdf", "photo😀.pdf",
    "a\u00a0b.pdf", "a–b.pdf", "a\u2024pdf.pdf",
    "../../etc/passwd.pdf", "/etc/passwd.pdf", r"..\..\a.pdf", r"\\serveur\partage\a.pdf",
]  # fmt: skip
HIDDEN = [
    "a\0.pdf", "a.pdf\0", "a.pdf.", "a.pdf_", "a.pdf...", "a\n.pdf",
    "a\r\nSet-Cookie: x.pdf", "a\t.pdf", "a\x1b[31m.pdf",
    "avis\u202efdp.pdf", "a\u200b.pdf", "a\ufeff.pdf", "a\x7f.pdf", "a\ud800.pdf", "a\u2028.pdf",
]  # fmt: skip
NONE = ["", " ", ".", "..", ".pdf", "...pdf"]
OTHER = [
    "avis.pdf\0.exe",
    "avis.pdf\u202eexe",
    "avis\u202egpj.exe",
    "avis.pdf.exe",
    "avis.pdf .exe",
    "avis.pdf:.exe",
]

CASES = [
    *(jpeg(f"{name}", make_jpeg, name=name) for name in HONEST),
    *(pdf(f"{name}", make_pdf, name=name) for name in HONEST_PDFS),
    *(pdf(f"{name!a}", make_pdf, REFUSED, name=name) for name in SPECIAL + HIDDEN + NONE),
    *(pdf(f"{name!a}", make_pdf, "extension_not_allowed", name=name) for name in OTHER),
    pdf("a thousand letters", make_pdf, "name_too_long", name="a" * 1000 + ".pdf"),
    pdf("a hundred thousand accents", make_pdf, "name_too_long", name="é" * 100_000 + ".pdf"),
]
