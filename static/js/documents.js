/* A file is looked at as soon as it is chosen, and what can be mended is mended here, in one click:
   its name, its weight, an image where a PDF is due. The server's rules are the same, and as strict,
   whatever was done here. What is ready goes on as a « change » of its field, to reenrolment.js. */
const chosenFiles = (() => {
  const LIMIT = 2 * 1024 * 1024; // bytes, included
  const AIM = 1_500_000; // bytes of a photo made smaller
  const LONGEST = 3000; // pixels
  const DUE = { pdf: "un fichier PDF", image: "une image JPEG ou PNG", any: "un PDF ou une image JPEG ou PNG" };
  const HEIC = "Votre navigateur n'ouvre pas les photos HEIC de l'iPhone : choisissez Réglages > Appareil photo > Formats > « Le plus compatible » et reprenez la photo, ou envoyez une copie en JPEG.";
  const ready = new WeakSet(); // the fields whose files have been looked at
  const notes = new Map(); // what is still to be told once the piece is shown anew, by its key

  /* « 1,4 Mo », « 312 Ko », rounded up as the server's filter `megabytes` does. */
  const inMegabytes = (bytes) => {
    const kilobytes = Math.ceil(bytes / 1024);
    if (kilobytes < 1024) return `${kilobytes}\u00a0Ko`;
    return `${(Math.ceil(bytes / 104857.6) / 10).toFixed(1).replace(".", ",")}\u00a0Mo`;
  };

  const KINDS = { pdf: "pdf", jpg: "image", jpeg: "image", png: "image", webp: "image", heic: "heic", heif: "heic" };
  const TYPES = { "application/pdf": "pdf", "image/heic": "heic", "image/heif": "heic" };

  /* By its name, as the server does first; some phones give a photo no extension. */
  const kind = (file) =>
    KINDS[fileNames.extension(file.name)] ?? TYPES[file.type] ?? (file.type.startsWith("image/") ? "image" : "other");

  const setFile = (input, file) => {
    const files = new DataTransfer();
    if (file) files.items.add(file);
    input.files = files.files;
  };

  const statusOf = (input) => document.getElementById(`${input.id}-status`);

  const clear = (input) => {
    const status = statusOf(input);
    status.textContent = "";
    status.parentElement.querySelector("[data-offer]")?.remove();
    status.classList.remove("piece-refused");
    input.classList.remove("is-invalid");
    input.removeAttribute("aria-invalid");
  };

  const describe = (input) => {
    const ids = new Set((input.getAttribute("aria-describedby") ?? "").split(" "));
    input.setAttribute("aria-describedby", [...ids.add(`${input.id}-status`)].join(" ").trim());
  };

  const refuse = (input, sentence) => {
    const status = statusOf(input);
    status.textContent = sentence;
    status.classList.add("piece-refused");
    input.classList.add("is-invalid");
    input.setAttribute("aria-invalid", "true");
    describe(input);
  };

  /* One button under the sentence, which the focus goes to: Enter, and it is mended. */
  const offer = (input, sentence, label, mend) => {
    refuse(input, sentence);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-primary piece-offer";
    button.dataset.offer = "";
    button.textContent = label;
    button.setAttribute("aria-describedby", statusOf(input).id);
    button.addEventListener("click", mend);
    statusOf(input).after(button);
    button.focus();
  };

  const pass = (input) => {
    ready.add(input);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const photosOf = (input) => document.getElementById(`id_photos-${input.dataset.piece}`);

  const offerPdf = (input, file, sentence) => {
    offer(input, sentence, "En faire un PDF", async () => {
      clear(input);
      setFile(input, null);
      await pagePhotos.add(input.dataset.piece, [file]);
      photosOf(input).closest("details").querySelector("[data-send-pages]").focus();
    });
  };

  const quoted = (text) => `«\u00a0${text}\u00a0»`;

  const properName = (file) => {
    const proposed = fileNames.propose(file.name);
    if (KINDS[fileNames.extension(proposed)]) return proposed;
    return fileNames.withExtension(proposed, { pdf: "pdf", image: file.type === "image/png" ? "png" : "jpg" }[kind(file)]);
  };

  const offerName = (input, file) => {
    const name = properName(file);
    const bad = fileNames.refused(file.name).filter((letter) => /[^\p{C}\p{Z}\p{M}]/u.test(letter)).map(quoted);
    const why = bad.length ? `contient ${bad.join(", ")}, que nous n'acceptons pas` : "n'est pas accepté tel quel";
    offer(input, `Le nom de votre fichier ${why}. Il n'est pas encore envoyé.`, `Renommer en ${quoted(name)}`, () => {
      clear(input);
      setFile(input, new File([file], name, { type: file.type }));
      input.focus();
      pass(input);
    });
  };

  const passOrRename = (input, file) => {
    if (fileNames.isAdmitted(file.name) && KINDS[fileNames.extension(file.name)]) pass(input);
    else offerName(input, file);
  };

  const giveUp = (input, sentence) => {
    setFile(input, null);
    refuse(input, sentence);
    input.focus();
  };

  const examinePdf = (input, file) => {
    if (input.dataset.formats === "image") {
      giveUp(input, `${quoted(file.name)} est un PDF et une image JPEG ou PNG est attendue : envoyez la photo elle-même, ou une capture d'écran de ce PDF.`);
    } else if (file.size > LIMIT) {
      giveUp(input, `${quoted(file.name)} pèse ${inMegabytes(file.size)} ; la limite est de 2 Mo. Numérisez le document en noir et blanc ou à 150 points par pouce, ou prenez ses pages en photo (ci-dessous).`);
    } else passOrRename(input, file);
  };

  const examineImage = async (input, file) => {
    if (input.dataset.formats === "pdf") {
      offerPdf(input, file, "Ce document est attendu en PDF et votre fichier est une image.");
      return;
    }
    if (file.size <= LIMIT && ["image/jpeg", "image/png"].includes(file.type)) {
      passOrRename(input, file);
      return;
    }
    statusOf(input).textContent = "Préparation de la photo…";
    const image = await pictures.decode(file);
    const light = await pictures.shrink(file, image, { bytes: AIM, longest: LONGEST });
    image?.close();
    if (input.files[0] !== file) return; // another one was chosen meanwhile
    if (light) takeLight(input, file, light);
    else if (kind(file) === "heic") refuseHeic(input, file);
    else if (file.size > LIMIT) {
      giveUp(input, `${quoted(file.name)} pèse ${inMegabytes(file.size)} ; la limite est de 2 Mo. Réduisez la photo (taille moyenne), puis choisissez cette copie.`);
    } else passOrRename(input, file);
  };

  const takeLight = (input, file, light) => {
    const note = file.size > LIMIT
      ? `Photo réduite de ${inMegabytes(file.size)} à ${inMegabytes(light.size)} avant l'envoi.`
      : `Photo convertie en JPEG (${inMegabytes(light.size)}) avant l'envoi.`;
    notes.set(input.dataset.piece, note);
    setFile(input, light);
    clear(input);
    passOrRename(input, light);
  };

  const refuseHeic = (input, file) => {
    if (photosOf(input)) offerPdf(input, file, "Votre navigateur n'ouvre pas les photos HEIC, mais nous pouvons en faire un PDF.");
    else giveUp(input, HEIC);
  };

  const examine = async (input, file) => {
    clear(input);
    notes.delete(input.dataset.piece);
    if (!file) return;
    const found = kind(file);
    if (!file.size) pass(input); // the server says what is wrong
    else if (found === "pdf") examinePdf(input, file);
    else if (found === "other") {
      const extension = fileNames.extension(file.name);
      const what = extension ? `Les fichiers ${quoted(`.${extension}`)} ne sont pas acceptés` : "Ce fichier n'est pas accepté";
      giveUp(input, `${what} : choisissez ${DUE[input.dataset.formats]}.`);
    } else await examineImage(input, file);
  };

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.("input[type=file][data-piece]") || ready.delete(input)) return;
    event.stopPropagation();
    if (input.hasAttribute("data-pages")) pagePhotos.add(input.dataset.piece, [...input.files]);
    else examine(input, input.files[0]);
  }, true);

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-send-pages]");
    if (!button) return;
    event.preventDefault();
    await pagePhotos.ready();
    const input = document.getElementById(`id_photos-${button.value}`);
    if (pagePhotos.count(button.value)) pass(input);
    else {
      pagePhotos.tell(button.value, "Choisissez d'abord les photos de vos pages.");
      input.focus();
    }
  });

  document.addEventListener("piece:shown", ({ detail: { key, refused } }) => {
    const note = notes.get(key);
    notes.delete(key);
    const status = document.getElementById(`id_piece-${key}-status`);
    if (note && status && !refused) status.textContent = note;
  });

  document.documentElement.classList.add("scripted");

  return { kind, inMegabytes };
})();
