"""`python -m documents.previews.child <type de contenu>`: a file on stdin, its drawing on stdout.

One process per file, which holds nothing worth taking: no settings, no secret, no database. What
it writes: one line of JSON ({"text": …, "pages": [[bytes, width, height], …]}), then the JPEGs.
"""

import json
import resource
import sys

MEMORY = 768 * 1024 * 1024  # bytes of address space
SECONDS = 20  # of processor
WRITTEN = 64 * 1024 * 1024  # bytes


def main() -> None:
    """Limits itself first: the libraries are read and run under the limits."""
    for limit, value in [
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ]:
        resource.setrlimit(limit, (value, value))
    from documents.previews.drawing import draw  # noqa: PLC0415 -- under the limits

    drawing = draw(sys.stdin.buffer.read(), sys.argv[1])
    head = {
        "text": drawing.text,
        "pages": [[len(page.jpeg), page.width, page.height] for page in drawing.pages],
    }
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    for page in drawing.pages:
        sys.stdout.buffer.write(page.jpeg)


if __name__ == "__main__":
    main()
