/* The names of files: the same rule and the same table as documents/checks/names.py, which has the
   last word. tests/browser/test_photos.py compares the two, letter by letter. */
const fileNames = (() => {
  const LONGEST = 100; // characters
  const EXAMPLE = "document";
  const NOT_ALLOWED = /[^A-Za-z0-9 ._()-]/g;
  const PLAIN = {
    œ: "oe", Œ: "OE", æ: "ae", Æ: "AE", ß: "ss", ẞ: "SS", ø: "o", Ø: "O", ł: "l", Ł: "L",
    đ: "d", Đ: "D", ð: "d", Ð: "D", þ: "th", Þ: "Th", ı: "i", "–": "-", "—": "-", "‐": "-", "‑": "-",
  };

  const toAscii = (text) =>
    Array.from(text, (letter) => PLAIN[letter] ?? letter)
      .join("")
      .normalize("NFKD")
      .replace(/\p{C}|[^\P{Z} ]/gu, "")
      .replace(/\p{M}/gu, "")
      .replace(/[^A-Za-z0-9 ._()-]/gu, "_");

  const cut = (name) => {
    const dot = name.lastIndexOf(".");
    return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1)];
  };

  const trimEnd = (text) => text.replace(/[ .]+$/, "");

  /* « Été.pdf » gives « Ete.pdf ». */
  const propose = (name) => {
    let [stem, extension] = cut(name.trim());
    extension = toAscii(extension).replace(/[^A-Za-z0-9]/g, "").slice(0, 10);
    stem = trimEnd(toAscii(stem).replace(/_{2,}/g, "_")).replace(/^[ .]+/, "");
    if (!/[A-Za-z0-9]/.test(stem)) stem = EXAMPLE;
    if (!extension) return trimEnd(stem.slice(0, LONGEST));
    return `${trimEnd(stem.slice(0, LONGEST - extension.length - 1))}.${extension}`;
  };

  /* What the name holds that is refused, each once: « é », « ! ». */
  const refused = (name) => [...new Set(name.normalize("NFC").trim().match(NOT_ALLOWED) ?? [])];

  const isAdmitted = (name) => {
    const clean = name.normalize("NFC").trim();
    return clean.length <= LONGEST && refused(name).length === 0 && cut(clean)[0].replace(/[. ]/g, "") !== "";
  };

  const extension = (name) => cut(propose(name))[1].toLowerCase();

  const withExtension = (name, wanted) => `${cut(name)[0] || name}.${wanted}`;

  return { propose, refused, isAdmitted, extension, withExtension };
})();
