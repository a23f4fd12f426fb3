"""The types of files known here, by their content and by their extension."""

PDF_TYPE = "application/pdf"
IMAGE_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
TYPES_BY_EXTENSION = {
    ".pdf": {PDF_TYPE},
    # A PNG named .jpg harms nobody: the content decides.
    ".jpg": set(IMAGE_FORMATS),
    ".jpeg": set(IMAGE_FORMATS),
    ".png": set(IMAGE_FORMATS),
}
MAGIC_SYNONYMS = {"image/apng": "image/png"}  # an animated PNG: its first image is kept
HEIC_EXTENSIONS = {".heic", ".heif"}
HEIC_TYPES = {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"}
TEXT_EXTENSIONS = {".doc", ".docx", ".odt", ".pages", ".rtf"}
