/* The re-enrolment page saves itself as one goes: it posts the very form, to the very address,
   that works without JavaScript, and takes from the answer what has changed. */
(() => {
  const form = document.querySelector("[data-reenrolment]");
  if (!form) return;

  const status = document.getElementById("save-status");
  const PAUSE = 1200; // milliseconds after the last change
  let timer = 0;
  let queue = Promise.resolve(); // one request at a time: each starts from what the last one saved

  const say = (text) => {
    if (status) status.textContent = text;
  };

  const now = () =>
    new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" }).replace(":", "\u00a0h\u00a0");

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");

  /* What the page was opened with becomes what has just been saved. */
  const takeSaved = (page) => {
    page.querySelectorAll("input[name^='initial-']").forEach((field) => {
      const mine = form.elements[field.name];
      if (mine) mine.value = field.value;
    });
  };

  const takePiece = (page, key) => {
    const fresh = page.getElementById(`piece-${key}`);
    const old = document.getElementById(`piece-${key}`);
    if (!fresh || !old) return;
    old.replaceWith(fresh);
    document.getElementById(`id_piece-${key}`)?.focus();
  };

  /* An answer that no longer holds our form: signed out, closed, or submitted elsewhere. */
  const isOurs = (page) => page.querySelector("[data-reenrolment]") !== null;

  const withoutFiles = () => {
    const data = new FormData(form);
    [...data.keys()].filter((key) => key.startsWith("piece-")).forEach((key) => data.delete(key));
    return data;
  };

  const save = async () => {
    say("Enregistrement…");
    try {
      const answer = await fetch(form.action, { method: "POST", body: withoutFiles() });
      const page = parse(await answer.text());
      if (!answer.ok || !isOurs(page)) {
        say("Enregistrement automatique impossible : utilisez le bouton « Enregistrer ».");
        return;
      }
      if (page.querySelector(".is-invalid")) {
        say("Une réponse est à revoir : « Enregistrer » vous dira laquelle.");
        return;
      }
      takeSaved(page);
      say(`Saisie enregistrée à ${now()}. Rien n'est encore envoyé.`);
    } catch {
      say("Pas de connexion : votre saisie reste sur cette page, nous réessaierons.");
      schedule(PAUSE * 5);
    }
  };

  function schedule(delay = PAUSE) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      queue = queue.then(save);
    }, delay);
  }

  const upload = (input) =>
    new Promise((done) => {
      const key = input.dataset.piece;
      const progress = input.closest(".piece").querySelector("progress");
      const data = withoutFiles();
      data.set(input.name, input.files[0]);
      data.set("send", key);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      progress.hidden = false;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress.value = (100 * event.loaded) / event.total;
      });
      request.addEventListener("load", () => {
        const page = parse(request.responseText);
        if (request.status === 200 && isOurs(page)) {
          const refused = page.getElementById(`id_piece-${key}-errors`);
          takeSaved(page);
          takePiece(page, key);
          say(refused ? refused.textContent.trim() : `Fichier reçu à ${now()}.`);
        } else {
          progress.hidden = true;
          say("L'envoi a échoué : utilisez le bouton « Envoyer » de la pièce.");
        }
        done();
      });
      request.addEventListener("error", () => {
        progress.hidden = true;
        say("Pas de connexion : le fichier n'est pas parti. Réessayez avec « Envoyer ».");
        done();
      });
      request.send(data);
    });

  /* The reason for stopping is asked only where the course stops. */
  const showReasons = () => {
    document.querySelectorAll("[data-if-unticked]").forEach((block) => {
      block.hidden = document.getElementById(block.dataset.ifUnticked).checked;
    });
  };

  form.addEventListener("change", (event) => {
    if (event.target.type === "file") {
      if (!event.target.files.length) return;
      clearTimeout(timer);
      queue = queue.then(() => upload(event.target));
      return;
    }
    showReasons();
    if (status) schedule();
  });
  form.addEventListener("input", (event) => {
    if (status && event.target.type !== "file") schedule();
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  showReasons();
})();
