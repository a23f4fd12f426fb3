/* The register of a lesson, with or without a network. What is ticked is kept in this browser until
   the server has it: by account and by lesson, keys and marks without a name, a week at most. It is
   sent from whatever page of the extranet the teacher opens next. Without JavaScript the page is an
   ordinary form; what the server refuses is sent again as that form, whose page says why. */
(() => {
  const session = document.querySelector("[data-session]");
  if (!session) return;

  const WHO = session.dataset.who;
  const PREFIX = "appel:";
  const KEPT = 7 * 24 * 3600 * 1000; // milliseconds
  const ANSWER = 15_000; // milliseconds: a network that is there and says nothing
  const PAUSES = [5, 10, 20, 40, 80, 160, 300]; // seconds between two tries
  const form = document.querySelector("form[data-register]");
  const SPACE = "\u00a0";

  /* --- What is kept ----------------------------------------------------------------------- */

  const nameOf = (lesson) => `${PREFIX}${WHO}:${lesson}`;

  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  };

  /* False where the browser keeps nothing: the form then leaves as any form. */
  const keep = (entry) => {
    try {
      localStorage.setItem(nameOf(entry.lesson), JSON.stringify(entry));
      return true;
    } catch {
      return false;
    }
  };

  const drop = (entry) => localStorage.removeItem(nameOf(entry.lesson));

  const names = () => {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    } catch {
      return [];
    }
  };

  const entries = () =>
    names()
      .filter((name) => name.startsWith(nameOf("")))
      .map(read)
      .filter(Boolean);

  const dropOld = () => {
    names().forEach((name) => {
      const entry = read(name);
      if (!entry || Date.now() - entry.at > KEPT) localStorage.removeItem(name);
    });
  };

  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const change = (entry, field, value) => {
    entry.fields = entry.fields.map(([name, old]) => [name, name === field ? value : old]);
  };

  /* --- What is told ----------------------------------------------------------------------- */

  const told = document.createElement("div");
  told.className = "register-queue d-print-none";
  told.setAttribute("role", "status");
  document.querySelector("main").before(told);

  const paragraph = (...parts) => {
    const line = document.createElement("p");
    line.className = "container";
    line.append(...parts);
    return line;
  };

  const button = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm btn-outline-secondary ms-2";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };

  const dayOf = (entry) => {
    const day = new Date(`${entry.lesson.slice(-10)}T12:00:00`);
    return new Intl.DateTimeFormat("fr-FR", { day: "numeric", month: "long" }).format(day);
  };

  const signIn = () => {
    const link = document.querySelector("template[data-text=ended]").content.querySelector("a").cloneNode();
    link.textContent = "Connectez-vous dans un nouvel onglet";
    return link;
  };

  let trouble = ""; // why the last try did not send: "offline", "ended"

  const tell = (...more) => {
    const lines = more;
    entries().forEach((entry) => {
      const register = `l'appel du ${dayOf(entry)}`;
      if (entry.state === "refused") {
        lines.push(paragraph(
          `Le serveur n'a pas pris ${register}${SPACE}: il a été changé entre-temps, ou la séance l'a été. `,
          button("Comparer", () => show(entry)),
          button("Abandonner ma saisie", () => { drop(entry); tell(); }),
        ));
      } else if (entry.state === "waiting" && trouble === "ended") {
        lines.push(paragraph(
          `Votre session a expiré${SPACE}: ${register} est gardé sur ce téléphone. `, signIn(), ", il partira ensuite.",
        ));
      } else if (entry.state === "waiting" && trouble === "offline") {
        lines.push(paragraph(
          `Pas de réseau${SPACE}: ${register} est gardé sur ce téléphone et partira dès que possible.`,
        ));
      }
    });
    told.replaceChildren(...lines);
  };

  /* --- Sending ---------------------------------------------------------------------------- */

  const ask = async (address, options = {}) =>
    fetch(address, { redirect: "manual", signal: AbortSignal.timeout(ANSWER), ...options });

  /* "offline", "ended", "other" (somebody else is signed in), or the answer; with a token. */
  const send = async (entry) => {
    try {
      const state = await (await ask(session.dataset.state)).json();
      if (state.who === null) return { is: "ended" };
      if (String(state.who) !== WHO) return { is: "other" };
      const body = new URLSearchParams([...entry.fields, ["csrfmiddlewaretoken", state.token]]);
      const answer = await ask(entry.address, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.ok) return { is: "sent", ...(await answer.json()) };
      if (answer.type === "opaqueredirect") return { is: "ended" };
      const isFinal = [404, 405, 409, 422].includes(answer.status);
      return { is: isFinal ? "refused" : "offline", token: state.token };
    } catch {
      return { is: "offline" };
    }
  };

  /* As a page: the server shows what differs, beside what was typed. */
  const show = async (entry) => {
    const { token } = await (await ask(session.dataset.state)).json();
    const page = document.createElement("form");
    page.method = "post";
    page.action = entry.address;
    [...entry.fields, ["csrfmiddlewaretoken", token]].forEach(([name, value]) => {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      page.append(field);
    });
    document.body.append(page);
    page.submit();
  };

  let running = null;
  let tries = 0;
  let timer;

  const settle = (entry, outcome) => {
    const now = read(nameOf(entry.lesson));
    if (outcome.is === "sent") {
      if (now && now.at !== entry.at) { // changed while it was on its way
        change(now, "version", String(outcome.version));
        keep({ ...now, state: "waiting" });
        return null;
      }
      drop(entry);
      if (form?.dataset.register === entry.lesson) location.assign(outcome.url);
      return paragraph(`L'appel du ${dayOf(entry)} est enregistré.`);
    }
    if (outcome.is === "refused") {
      keep({ ...(now ?? entry), state: "refused" });
      if (form?.dataset.register === entry.lesson) show(now ?? entry);
    }
    return null;
  };

  const sendAll = async () => {
    clearTimeout(timer);
    const said = [];
    trouble = "";
    for (const entry of entries().filter(({ state }) => state === "waiting")) {
      const outcome = await send(entry);
      if (["offline", "ended", "other"].includes(outcome.is)) {
        trouble = outcome.is;
        break;
      }
      said.push(settle(entry, outcome));
    }
    tell(...said.filter(Boolean));
    const left = entries().some(({ state }) => state === "waiting");
    tries = left ? tries + 1 : 0;
    if (left) timer = setTimeout(flush, PAUSES[Math.min(tries, PAUSES.length) - 1] * 1000);
    if (trouble === "ended") document.dispatchEvent(new Event("session:ended"));
  };

  /* One at a time; whoever asks meanwhile waits for the same. */
  const flush = () => {
    running ??= sendAll().finally(() => { running = null; });
    return running;
  };

  const flushNow = () => {
    tries = 0;
    if (entries().some(({ state }) => state === "waiting")) flush();
  };

  /* --- The page of a register ------------------------------------------------------------- */

  const typed = () => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");

  const keepTyped = (state) =>
    keep({
      lesson: form.dataset.register,
      address: location.pathname,
      fields: typed(),
      state,
      at: Date.now(),
    });

  const marksOf = (fields) => JSON.stringify(fields.filter(([name]) => /-(kind|minutes|note)$/.test(name)));

  const restore = (entry) => {
    entry.fields.forEach(([name, value]) => {
      const field = form.elements[name];
      if (field) field.value = value;
      if (field && value && name.endsWith("-note")) field.closest("details").open = true;
    });
  };

  const openPage = () => {
    const mine = read(nameOf(form.dataset.register));
    if ("refused" in form.dataset) {
      keepTyped("draft"); // what the server has just shown
    } else if (mine && marksOf(mine.fields) === marksOf(typed())) {
      drop(mine);
    } else if (mine) {
      restore(mine);
      if (mine.state === "refused") keep({ ...mine, state: "draft" });
      form.querySelector("[data-register-told]").append(
        "Votre saisie, gardée sur ce téléphone, est reprise ici. ",
        button("Reprendre ce qui est enregistré", () => {
          drop(mine);
          location.reload();
        }),
      );
    }
    form.addEventListener("input", () => {
      form.elements.key.value = newKey();
      const state = read(nameOf(form.dataset.register))?.state;
      keepTyped(state === "waiting" ? "waiting" : "draft");
    });
    form.addEventListener("submit", async (event) => {
      if (!keepTyped("waiting")) return;
      event.preventDefault();
      const submit = form.querySelector("[type=submit]");
      submit.disabled = true;
      await flush();
      await flush(); // the first may have been on its way, without this one
      submit.disabled = false;
    });
  };

  /* --- Leaving ---------------------------------------------------------------------------- */

  const leave = document.querySelector(".site-leave form");
  leave?.addEventListener("submit", async (event) => {
    if (!entries().length) return;
    event.preventDefault();
    await flush();
    const left = entries();
    const question = `L'appel du ${left.map(dayOf).join(", du ")} n'est pas enregistré. Se déconnecter l'efface de ce téléphone.`;
    if (left.length && !confirm(question)) return;
    left.forEach(drop);
    leave.submit();
  });

  dropOld();
  if (form) openPage();
  tell();
  flushNow();
  addEventListener("online", flushNow);
  addEventListener("pageshow", (event) => { if (event.persisted) flushNow(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flushNow(); });
  document.addEventListener("session:resumed", flushNow);
})();
