/* The re-enrolment page saves itself as one goes: it posts the very form, to the very address,
   that works without JavaScript, and takes from the answer what has changed. A slot picked goes at
   once, its line alone, to an address of its own: others want the place too. */
(() => {
  const form = document.querySelector("[data-reenrolment]");
  if (!form) return;

  /* All is saved: after « back », the browser shows what is, not what this page showed when it left. */
  form.autocomplete = "off";

  const status = document.getElementById("save-status");
  const PAUSE = 1200; // milliseconds after the last change
  const SHORT_PAUSE = 300; // after a slot is picked: the arrow keys go from one to the next
  let timer = 0; // 0: nothing waits to be saved
  let pickTimer = 0;
  let picked = null; // the line of the table that waits to be sent
  let queue = Promise.resolve(); // one request at a time: each starts from what the last one saved
  let uploads = 0; // files on their way, or waiting for their turn
  let lostLast = false; // was the last file refused, or did it not arrive?
  let leaving = 0; // the timer of a form that has been sent: 0 while none is

  const say = (text) => {
    if (status) status.textContent = text;
  };

  /* The same clock as the server's sentences, wherever the family is. */
  const PARIS = new Intl.DateTimeFormat("fr-FR", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Paris" });
  /* « 2 h 05 », « 18 h », as accounts/dates.py writes it. */
  const now = () => {
    const [hours, minutes] = PARIS.format(new Date()).split(":");
    return `${Number(hours)}\u00a0h${minutes === "00" ? "" : `\u00a0${minutes}`}`;
  };

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");

  const holds = (field, sent) =>
    field.type === "checkbox" ? field.checked === sent.has(field.name) : field.value === (sent.get(field.name) ?? "");

  /* Of a course of which no slot is left, there is no field any more. */
  const INVALID = ".is-invalid, .invalid-feedback";
  /* Each course is saved or refused as a whole. */
  const isRefused = (field) => field.matches(INVALID) || field.closest("tr")?.querySelector(INVALID);

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
     but of a row whose slot has been changed again since. A refusal stays to be read until another
     slot is picked in its `line`. */
  const takePlaces = (page, sent, line) => {
    page.querySelectorAll("[data-fresh]").forEach((fresh) => {
      const old = document.getElementById(fresh.id);
      const select = old?.querySelector("select");
      if (!old || (select && select.value !== (sent.get(select.name) ?? ""))) return;
      if (!line && old.querySelector(INVALID) && !fresh.querySelector(INVALID)) return;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.focus();
    });
  };

  const text = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";

  /* The page may have been opened with errors: those of this piece are no longer true. */
  const dropError = (key) => {
    const summary = document.querySelector(".error-summary");
    ["piece", "photos"].forEach((name) => {
      summary?.querySelector(`a[href="#id_${name}-${key}"]`)?.closest("li").remove();
    });
    if (!summary || summary.querySelector("li")) return;
    summary.remove();
    document.title = document.title.replace(/^\s*Erreur\s*:\s*/, "");
  };

  const takePiece = (page, key) => {
    const fresh = page.getElementById(`piece-${key}`);
    const old = document.getElementById(`piece-${key}`);
    if (!fresh || !old) return;
    old.replaceWith(fresh);
    const refused = fresh.querySelector("input.is-invalid");
    const field = document.getElementById(`id_piece-${key}`);
    (refused ?? field?.closest("details:not([open])")?.querySelector("summary") ?? field)?.focus();
    document.dispatchEvent(new CustomEvent("piece:shown", { detail: { key, refused: refused !== null } }));
  };

  /* An answer that no longer holds our form: signed out, closed, or submitted elsewhere. */
  const isOurs = (page) => page.querySelector("[data-reenrolment]") !== null;

  const withoutFiles = () => {
    const data = new FormData(form);
    [...data.keys()].filter((key) => /^(piece|photos)-/.test(key)).forEach((key) => data.delete(key));
    return data;
  };

  /* The server reads it in half the time of a form with files; line ends as browsers send them. */
  const encoded = (data) =>
    new URLSearchParams([...data].map(([name, value]) => [name, value.replace(/\r?\n/g, "\r\n")]));

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

  const takeAnswer = (page, sent, line) => {
    const full = text(page.querySelector("[data-fresh] .invalid-feedback"));
    const kept = text(page.querySelector("#holds p"));
    const isInvalid = page.querySelector(INVALID) !== null;
    takeSaved(page, sent);
    takePlaces(page, sent, line);
    if (isInvalid) say(full || "Une réponse est à revoir : « Enregistrer » vous dira laquelle.");
    else say(`Saisie enregistrée à ${now()}. ${kept || "Rien n'est encore envoyé."}`);
  };

  const save = async ({ leaving = false, again = true } = {}) => {
    say("Enregistrement…");
    try {
      const sent = withoutFiles();
      const headers = { "X-Parts": "1" };
      const answer = await fetch(form.action, { method: "POST", body: encoded(sent), headers, keepalive: leaving });
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
      takeAnswer(page, sent);
    } catch {
      say("Pas de connexion : votre saisie reste sur cette page, nous réessaierons.");
      schedule(PAUSE * 5);
    }
  };

  /* One line of the table; whatever keeps it from being saved, the whole form tells. */
  const pick = async (line) => {
    if (!line.isConnected) return;
    say("Réservation de la place…");
    try {
      const sent = withoutFiles();
      const isOfLine = ([name]) =>
        /^(csrfmiddlewaretoken|site)$/.test(name) || name.replace(/^initial-/, "").startsWith(`${line.id}-`);
      const body = encoded([["line", line.id], ...[...sent].filter(isOfLine)]);
      const answer = await fetch(form.dataset.picks, { method: "POST", body });
      const page = parse(await answer.text());
      if (wasSentToSignIn(answer.url)) stop();
      else if (answer.ok && isOurs(page)) takeAnswer(page, sent, line);
      else await save();
    } catch {
      await save();
    }
  };

  const sendPicked = () => {
    const line = picked;
    clearTimeout(pickTimer);
    picked = null;
    queue = queue.then(() => pick(line));
  };

  const schedulePick = (line) => {
    if (picked && picked !== line) sendPicked();
    clearTimeout(pickTimer);
    picked = line;
    pickTimer = setTimeout(sendPicked, SHORT_PAUSE);
  };

  function unschedule() {
    clearTimeout(timer);
    clearTimeout(pickTimer);
    timer = 0;
    picked = null;
  }

  function schedule(delay = PAUSE) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      queue = queue.then(() => save());
    }, delay);
  }

  /* A piece's file, or the photos of its pages. */
  const upload = (input) =>
    new Promise((done) => {
      const key = input.dataset.piece;
      const isPhotos = input.multiple;
      const progress = input.closest(".piece").querySelector("progress");
      const told = document.getElementById(`${input.id}-status`);
      const data = withoutFiles();
      [...input.files].forEach((file) => data.append(input.name, file));
      data.set("send", key);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      progress.hidden = false;
      progress.value = 0;
      told.textContent = "Envoi en cours… Ne fermez pas cette page.";
      const fail = (sentence) => {
        lostLast = true;
        progress.hidden = true;
        told.textContent = "";
        say(sentence);
      };
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress.value = (100 * event.loaded) / event.total;
      });
      request.upload.addEventListener("load", () => {
        progress.removeAttribute("value"); // how long this takes is not known
        told.textContent = isPhotos ? "Photos arrivées : nous en faisons un PDF…" : "Fichier arrivé : nous le vérifions…";
      });
      request.addEventListener("load", () => {
        const page = parse(request.responseText);
        if (request.status === 200 && isOurs(page)) {
          const refused = page.querySelector(`#id_piece-${key}-errors, #id_photos-${key}-errors`);
          lostLast = refused !== null;
          takeSaved(page, data);
          takePlaces(page, data);
          takePiece(page, key);
          dropError(key);
          say(refused ? text(refused) : `Fichier reçu à ${now()}.`);
        } else if (wasSentToSignIn(request.responseURL)) {
          fail("");
          stop();
        } else if (request.status === 413) {
          fail("Ces fichiers dépassent 12 Mo ensemble : envoyez-en moins, ou de plus légers.");
        } else {
          fail("L'envoi a échoué : utilisez le bouton « Envoyer » de la pièce.");
        }
        done();
      });
      request.addEventListener("error", () => {
        fail("Pas de connexion : le fichier n'est pas parti. Réessayez avec « Envoyer ».");
        done();
      });
      request.send(data);
    });

  const free = () => {
    clearTimeout(leaving);
    leaving = 0;
    form.removeAttribute("aria-busy");
  };

  /* A second click changes nothing; but the network may have failed without a word. */
  const leave = () => {
    leaving = setTimeout(free, 30_000);
    form.setAttribute("aria-busy", "true");
    say("Envoi en cours… Ne fermez pas cette page.");
  };

  /* What the button does is done once the file has arrived; if it has not, the page says why. */
  const sendAfterwards = (button) => {
    say("Un fichier est en cours d'envoi : la suite vient dès qu'il est arrivé.");
    queue = queue.then(() => {
      if (!lostLast && button?.isConnected) setTimeout(() => button.click());
    });
  };

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
      uploads += 1;
      queue = queue.then(() => upload(event.target)).finally(() => { uploads -= 1; });
      return;
    }
    showReasons();
    if (!status) return;
    const line = event.target.closest("tr");
    const isPick = event.target.matches("select[name$='-slot_id']");
    if (isPick && line.querySelector("input[name$='-wanted']").checked) schedulePick(line);
    else schedule();
  });
  form.addEventListener("input", (event) => {
    if (status && !event.target.matches("select, [type='file']")) schedule();
  });
  form.addEventListener("submit", (event) => {
    unschedule();
    const door = document.querySelector("[data-session] [data-told=ended] a");
    if (!door && !uploads && !leaving) {
      leave();
      return;
    }
    event.preventDefault();
    if (door) door.focus();
    else if (uploads) sendAfterwards(event.submitter);
  });
  addEventListener("pageshow", free); // back by the browser's button
  /* A phone may put the page aside for good: what was typed goes at once. */
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || !(timer || picked)) return;
    unschedule();
    queue = queue.then(() => save({ leaving: true }));
  });
  showReasons();

  /* Answered before this script had come, on a slow network: a place picked then is to be kept too,
     a file chosen then is to leave. */
  const isAnswered = (field) => {
    if (field.type === "file") return field.files.length > 0;
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.type === "textarea") return field.value !== field.defaultValue;
    if (field.type !== "select-one") return false;
    const shown = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(shown, 0);
  };
  [...form.elements].filter(isAnswered).forEach((field) => {
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
