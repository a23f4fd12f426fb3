/* « J'ai pris les pages en photo »: the photos chosen for a piece, each made lighter as it comes, in
   the order of the pages. The field itself holds them, in that order: whatever sends the form, sends
   them so. The server makes the PDF. */
const pagePhotos = (() => {
  const MOST = 20;
  const LIGHT = 550_000; // bytes: twenty of them pass the server's 12 Mo
  const HEAVIEST = 11_500_000; // bytes, all together
  const lists = new Map(); // by the piece's key: what takes the place of the piece's part knows nothing
  let preparing = Promise.resolve();
  let waiting = 0; // photos that are not ready yet

  const field = (key) => document.getElementById(`id_photos-${key}`);
  const part = (key) => field(key).closest("details");
  const listOf = (key) => lists.get(key) ?? lists.set(key, []).get(key);
  const weight = (list) => list.reduce((sum, page) => sum + page.file.size, 0);

  const tell = (key, sentence) => {
    document.getElementById(`id_photos-${key}-status`).textContent = sentence;
  };

  const hidden = (text) => {
    const span = document.createElement("span");
    span.className = "visually-hidden";
    span.textContent = text;
    return span;
  };

  const button = (label, of, move, off = false) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-outline-secondary";
    made.dataset.move = move;
    if (off) made.setAttribute("aria-disabled", "true"); // a disabled button would lose the focus
    made.append(label, hidden(` ${of}`));
    return made;
  };

  const line = (page, place, count) => {
    const item = document.createElement("li");
    const of = `la page ${place + 1}, ${page.name}`;
    const name = document.createElement("p");
    name.className = "photo-name";
    name.append(`Page ${place + 1}`, document.createElement("br"), `${page.name} (${page.said})`);
    const moves = document.createElement("div");
    moves.className = "photo-moves";
    moves.append(
      button("Monter", of, "up", place === 0),
      button("Descendre", of, "down", place === count - 1),
      button("Retirer", of, "out"),
    );
    const picture = document.createElement("div");
    picture.className = "photo-picture";
    picture.setAttribute("aria-hidden", "true");
    picture.append(page.picture ?? "HEIC");
    item.append(picture, name, moves);
    return item;
  };

  const show = (key) => {
    const list = listOf(key);
    const shown = part(key).querySelector("[data-page-list]");
    shown.replaceChildren(...list.map((page, place) => line(page, place, list.length)));
    shown.hidden = list.length === 0;
    shown.dataset.key = key;
    const files = new DataTransfer();
    list.forEach((page) => files.items.add(page.file));
    field(key).files = files.files;
    if (list.length) part(key).open = true;
  };

  /* The photo as it will travel, or the sentence that says why it can't. */
  const prepare = async (file, kind) => {
    if (kind !== "image" && kind !== "heic") return `« ${file.name} » n'est pas une photo : envoyez-le dans le champ de la pièce.`;
    const image = await pictures.decode(file);
    const travels = ["image/jpeg", "image/png"].includes(file.type);
    const needed = file.size > LIGHT || !travels;
    const light = needed ? await pictures.shrink(file, image, { bytes: LIGHT, longest: pictures.PAGE_EDGE }) : null;
    const picture = image && pictures.thumbnail(image);
    image?.close();
    if (!light && !travels && kind !== "heic") return `« ${file.name} » ne s'ouvre pas ici : envoyez une copie en JPEG.`;
    const kept = light ?? file;
    const before = kept.size < file.size ? `, au lieu de ${chosenFiles.inMegabytes(file.size)}` : "";
    return { file: kept, name: file.name, picture, said: `${chosenFiles.inMegabytes(kept.size)}${before}` };
  };

  const counted = (count) => `${count} photo${count > 1 ? "s" : ""}`;

  const addEach = async (key, files) => {
    const list = listOf(key);
    const refused = [];
    for (const [place, file] of files.entries()) {
      if (list.length >= MOST) {
        refused.push(`Un PDF est fait de ${MOST} photos au plus : les suivantes ne sont pas prises.`);
        break;
      }
      tell(key, `Préparation de la photo ${place + 1} sur ${files.length}…`);
      const page = await prepare(file, chosenFiles.kind(file));
      if (typeof page === "string") refused.push(page);
      else if (weight(list) + page.file.size > HEAVIEST) {
        refused.push(`Avec « ${page.name} », vos photos dépasseraient 12 Mo : elle n'est pas prise.`);
      } else list.push(page);
    }
    if (!files.length) { // the chooser was closed: those chosen before stay
      show(key);
      return;
    }
    const next = list.length ? `${counted(list.length)} : vérifiez l'ordre des pages, puis « Envoyer les photos ».` : "";
    show(key);
    tell(key, [...refused, next].join(" ").trim());
  };

  /* Resolves once they are all in the list. */
  const add = (key, files) => {
    part(key).open = true;
    waiting += files.length;
    preparing = preparing.then(() => addEach(key, files)).finally(() => { waiting -= files.length; });
    return preparing;
  };

  const focusOn = (key, place, move) => {
    const lines = part(key).querySelectorAll("[data-page-list] > li");
    (lines[Math.min(place, lines.length - 1)]?.querySelector(`[data-move=${move}]`) ?? field(key)).focus();
  };

  const moveTo = (key, place, there, move) => {
    const list = listOf(key);
    const [page] = list.splice(place, 1);
    if (move === "out") tell(key, `${page.name} est retirée. Il reste ${counted(list.length)}.`);
    else {
      list.splice(there, 0, page);
      tell(key, `${page.name} : page ${there + 1} sur ${list.length}.`);
    }
    show(key);
    focusOn(key, move === "out" ? place : there, move);
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest?.("[data-page-list] [data-move]");
    if (!pressed || pressed.getAttribute("aria-disabled")) return;
    const shown = pressed.closest("[data-page-list]");
    const place = [...shown.children].indexOf(pressed.closest("li"));
    const { move } = pressed.dataset;
    moveTo(shown.dataset.key, place, move === "up" ? place - 1 : place + 1, move);
  });

  /* A form sent meanwhile would go without the photos that are not ready. */
  document.addEventListener("submit", (event) => {
    if (!waiting) return;
    event.preventDefault();
    event.stopPropagation();
    preparing.then(() => event.submitter?.click());
  }, true);

  /* The piece has just been sent, or refused: its part of the page is a new one. */
  document.addEventListener("piece:shown", ({ detail: { key, refused } }) => {
    if (!lists.has(key)) return;
    if (!refused) lists.delete(key);
    else if (field(key)) show(key);
  });

  const count = (key) => listOf(key).length;

  return { add, count, tell, ready: () => preparing };
})();
