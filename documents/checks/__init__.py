"""What a file must be before it is kept (mode d'emploi, étape 7).

No database here: bytes in, a CheckedFile or a French refusal out. Every parser is bounded, in
time and in memory, because the bytes come from outside.
"""

from documents.checks.files import MAX_BYTES, CheckedFile, check_file
from documents.checks.names import propose_name

__all__ = ["MAX_BYTES", "CheckedFile", "check_file", "propose_name"]
