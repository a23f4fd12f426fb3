/* The re-enrolment page saves itself as one goes: it posts the very form, to the very address,
   that works without JavaScript, and takes from the answer what has changed. */
(() => {
  const form = document.querySelector("[data-reenrolment]");
  if (!form) return;

  const status = document.getElementById("save-status");
  const PAUSE = 1200; // milliseconds after the last change
  let timer = 0; // 0: nothing waits to be saved
  let queue = Promise.resolve(); // one request at a time: each starts from what the last one saved

  const say = (text) => {
    if (status) status.textContent = text;
  };

  /* The same clock as the server's sentences, wherever the family is. */
  const PARIS = new Intl.DateTimeFormat("fr-FR", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Paris" });
  const now = () =>
    PARIS.format(new Date()).replace(":", "\u00a0h\u00a0");

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");

  const holds = (field, sent) =>
    field.type === "checkbox" ? field.checked === sent.has(field.name) : field.value === (sent.get(field.name) ?? "");

  /* Each course is saved or refused as a whole. */
  const isRefused = (field) =>
    field.classList.contains("is-invalid") || field.closest("tr")?.querySelector(".is-invalid");

  /* What the page was opened with becomes what has just been saved; not what somebody else has
     saved meanwhile and this page does not show: the next saving would undo it without a word. */
  const takeSaved = (page, sent) => {
    page.querySelectorAll("input[name^='initial-']").forEach((field) => {
      const mine = form.elements[field.name];
      const saved = field.form.elements[field.name.slice("initial-".length)];
      if (isRefused(saved ?? field)) return;
      if (mine && (!saved || holds(saved, sent))) mine.value = field.value;
    });
  };

  /* How many places are left, until when mine are kept, what is full by now: as just answered,
     but of a row whose slot has been changed again since. */
  const takePlaces = (page, sent) => {
    page.querySelectorAll("[data-fresh]").forEach((fresh) => {
      const old = document.getElementById(fresh.id);
      const select = old?.querySelector("select");
      if (!old || (select && select.value !== (sent.get(select.name) ?? ""))) return;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.focus();
    });
  };

  const text = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";

  /* The page may have been opened with errors: those of this piece are no longer true. */
  const dropError = (key) => {
    const summary = document.querySelector(".error-summary");
    summary?.querySelector(`a[href="#id_piece-${key}"]`)?.closest("li").remove();
    if (!summary || summary.querySelector("li")) return;
    summary.remove();
    document.title = document.title.replace(/^\s*Erreur\s*:\s*/, "");
  };

  const takePiece = (page, key) => {
    const fresh = page.getElementById(`piece-${key}`);
    const old = document.getElementById(`piece-${key}`);
    if (!fresh || !old) return;
    old.replaceWith(fresh);
    const field = document.getElementById(`id_piece-${key}`);
    (field?.closest("details:not([open])")?.querySelector("summary") ?? field)?.focus();
  };

  /* An answer that no longer holds our form: signed out, closed, or submitted elsewhere. */
  const isOurs = (page) => page.querySelector("[data-reenrolment]") !== null;

  const withoutFiles = () => {
    const data = new FormData(form);
    [...data.keys()].filter((key) => key.startsWith("piece-")).forEach((key) => data.delete(key));
    return data;
  };

  /* Signing in elsewhere keeps what was typed here; sending the form now would leave the page.
     session.js says so, and says when somebody is back. */
  const stop = () => {
    say("Votre saisie n'est pas encore enregistrée.");
    document.dispatchEvent(new Event("session:ended"));
  };

  const wasSentToSignIn = (address) => new URL(address).searchParams.has("next");

  /* Signing in changes the token that every form carries; false when it was somebody else. */
  const takeToken = async () => {
    const page = parse(await (await fetch(form.action)).text());
    if (!isOurs(page)) return false;
    const token = page.querySelector("[name='csrfmiddlewaretoken']").value;
    document.querySelectorAll("[name='csrfmiddlewaretoken']").forEach((field) => {
      field.value = token;
    });
    return true;
  };

  document.addEventListener("session:resumed", () => {
    if (form.elements.comment) schedule(0);
  });

  const save = async ({ leaving = false, again = true } = {}) => {
    say("Enregistrement…");
    try {
      const sent = withoutFiles();
      const answer = await fetch(form.action, { method: "POST", body: sent, keepalive: leaving });
      const page = parse(await answer.text());
      if (wasSentToSignIn(answer.url)) {
        stop();
        return;
      }
      if (answer.status === 403 && again && (await takeToken())) {
        await save({ again: false });
        return;
      }
      if (!answer.ok || !isOurs(page)) {
        say("Enregistrement automatique impossible : utilisez le bouton « Enregistrer ».");
        return;
      }
      const full = text(page.querySelector("[data-fresh] .invalid-feedback"));
      const kept = text(page.querySelector("#holds p"));
      const isInvalid = page.querySelector(".is-invalid") !== null;
      takeSaved(page, sent);
      takePlaces(page, sent);
      if (isInvalid) say(full || "Une réponse est à revoir : « Enregistrer » vous dira laquelle.");
      else say(`Saisie enregistrée à ${now()}. ${kept || "Rien n'est encore envoyé."}`);
    } catch {
      say("Pas de connexion : votre saisie reste sur cette page, nous réessaierons.");
      schedule(PAUSE * 5);
    }
  };

  function unschedule() {
    clearTimeout(timer);
    timer = 0;
  }

  function schedule(delay = PAUSE) {
    unschedule();
    timer = setTimeout(() => {
      timer = 0;
      queue = queue.then(() => save());
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
          takeSaved(page, data);
          takePlaces(page, data);
          takePiece(page, key);
          dropError(key);
          say(refused ? refused.textContent.trim() : `Fichier reçu à ${now()}.`);
        } else if (wasSentToSignIn(request.responseURL)) {
          progress.hidden = true;
          stop();
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
      unschedule();
      queue = queue.then(() => upload(event.target));
      return;
    }
    showReasons();
    if (status) schedule();
  });
  form.addEventListener("input", (event) => {
    if (status && event.target.type !== "file") schedule();
  });
  form.addEventListener("submit", (event) => {
    unschedule();
    const door = document.querySelector("[data-session] [data-told=ended] a");
    if (!door) return;
    event.preventDefault();
    door.focus();
  });
  /* A phone may put the page aside for good: what was typed goes at once. */
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || !timer) return;
    unschedule();
    queue = queue.then(() => save({ leaving: true }));
  });
  showReasons();
})();
