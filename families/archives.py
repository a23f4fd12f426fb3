"""The ZIP of « Mes données »: donnees.json, LISEZ-MOI.txt and the files of the documents.

Files go from the storage to the archive in small pieces: a household of 200 Mo takes no memory.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.conf import settings
from django.utils import timezone

from accounts.personal_data import export_mail
from families.holdings import Attachment, Copy, mails_to, parts

CHUNK = 64 * 1024  # bytes
DATA, README = "donnees.json", "LISEZ-MOI.txt"
MAILS = "messages"
MISSING = "Le fichier manque dans notre espace de stockage\u00a0: signalez-le au conservatoire."


def write(target: BinaryIO, copy: Copy, *, beat: Callable[[], None]) -> None:
    """Writes the archive of one guardian; `beat` is called before each file, and may raise.

    A file that the storage no longer has is told in the JSON; one that cannot be read now raises
    whatever the storage raises.
    """
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        folder = _Folder(archive, beat)
        content = json.dumps(_content(copy), default=folder.add, ensure_ascii=False, indent=2)
        archive.writestr(_entry(DATA, ZIP_DEFLATED), content)
        archive.writestr(_entry(README, ZIP_DEFLATED), _readme(copy))


class _Folder:
    """The files of the archive, each under a name of its own."""

    def __init__(self, archive, beat):
        self.archive, self.beat, self.taken = archive, beat, set()

    def add(self, attachment: Attachment) -> str:
        """What `json` writes in the place of an attachment: where its file is, or why it is not."""
        if not isinstance(attachment, Attachment):
            raise TypeError(f"Not ready for JSON: {attachment!r}")
        self.beat()
        try:
            source = attachment.file.open()
        except FileNotFoundError:
            return MISSING
        with source:
            name = self._free_name(attachment)
            with self.archive.open(_entry(name, ZIP_STORED), "w") as entry:
                shutil.copyfileobj(source, entry, CHUNK)
        return name

    def _free_name(self, attachment):
        """A system that does not tell capitals apart must not write one file over another."""
        path = PurePosixPath("documents", attachment.folder, attachment.name)
        number = 1
        free = path
        while str(free).casefold() in self.taken:
            number += 1
            free = path.with_stem(f"{path.stem} ({number})")
        self.taken.add(str(free).casefold())
        return str(free)


def _content(copy):
    made_at = timezone.localtime().isoformat(timespec="seconds")
    content = {
        "copie": {"faite le": made_at, "pour": str(copy.guardian), "par": settings.SITE_NAME}
    }
    for part in parts():
        content |= part.export(copy)
    return content | {MAILS: [export_mail(mail) for mail in mails_to(copy.guardian)]}


def _readme(copy):
    sections = {
        **{key: said for part in parts() for key, said in part.sections.items()},
        MAILS: "les messages que le site vous a écrits",
    }
    listed = "\n".join(f"- {key}\u00a0: {said}." for key, said in sections.items())
    return f"""Mes données
{settings.SITE_NAME}, {settings.SITE_URL}

Cette copie est faite pour {copy.guardian}, le {timezone.localtime():%d/%m/%Y à %H:%M}.
Elle contient ce que le conservatoire garde de vous, de votre foyer et de ses élèves
(règlement général sur la protection des données, articles 15 et 20).

{DATA} se lit avec un éditeur de texte, et par un autre logiciel\u00a0:
{listed}

documents/ contient les fichiers que vous avez envoyés\u00a0; {DATA} dit lequel est où.

Ce qui n'y est pas\u00a0: les données d'un autre foyer du même élève, le compte et les messages de
l'autre responsable, les mots de passe (le site n'en garde qu'une empreinte), le nom des agents.

Gardez ce fichier pour vous\u00a0: il contient des pièces justificatives.
"""


def _entry(name, compression):
    entry = ZipInfo(name, timezone.localtime().timetuple()[:6])
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry
