/* Warns before the session ends, and says when it has. The server alone knows: another tab may have
   made the session last, so it is asked before anything is said. Other scripts hear
   « session:resumed » and may say « session:ended ». */
(() => {
  const box = document.querySelector("[data-session]");
  if (!box) return;

  const warning = box.querySelector("dialog");
  const told = box.querySelector("[role=status]");
  const form = box.querySelector("form");
  const WARNING = Number(box.dataset.warning); // seconds
  const ASK_AGAIN = 20; // seconds, while something is said
  let timer;
  let due; // when the server is asked next, by this machine's clock: timers stop while it sleeps
  let ended = false;
  let understood = false; // the end that cannot be put off has been read

  const askIn = (seconds) => {
    clearTimeout(timer);
    due = Date.now() + seconds * 1000;
    timer = setTimeout(ask, seconds * 1000);
  };

  const tell = (what) => {
    if (told.dataset.told === what) return;
    told.dataset.told = what;
    told.replaceChildren(box.querySelector(`template[data-text=${what}]`).content.cloneNode(true));
  };

  const warn = ({ left, canExtend }) => {
    const minutes = Math.ceil(left / 60);
    box.querySelector("[data-minutes]").textContent = `${minutes}\u00a0minute${minutes > 1 ? "s" : ""}`;
    box.querySelectorAll("[data-can-extend]").forEach((part) => { part.hidden = !canExtend; });
    box.querySelectorAll("[data-cannot-extend]").forEach((part) => { part.hidden = canExtend; });
    warning.dataset.canExtend = canExtend;
    if (!warning.open && !understood) warning.showModal();
  };

  const end = (what = "ended") => {
    ended = true;
    warning.close();
    tell(what);
    clearTimeout(timer); // one comes back from the other tab: see « visibilitychange »
  };

  const goOn = (state) => {
    document.querySelectorAll("[name='csrfmiddlewaretoken']").forEach((field) => {
      field.value = state.token; // signing in has changed it
    });
    if (ended) {
      ended = false;
      understood = false;
      tell("resumed");
      document.dispatchEvent(new Event("session:resumed"));
    }
    if (state.left > WARNING) {
      warning.close();
      askIn(state.left - WARNING);
    } else {
      warn(state);
      askIn(Math.min(ASK_AGAIN, state.left + 1));
    }
  };

  const hear = (state) => {
    if (state.who === null) end();
    else if (String(state.who) !== box.dataset.who) end("other");
    else goOn(state);
  };

  const request = async (address, options) => {
    try {
      hear(await (await fetch(address, options)).json());
    } catch {
      askIn(ASK_AGAIN); // no network, or a token that another tab has changed
    }
  };

  const ask = () => request(box.dataset.state);

  const stay = (event) => {
    event.preventDefault();
    if (warning.dataset.canExtend === "true") {
      request(box.dataset.extend, { method: "POST", body: new FormData(form) });
    } else {
      understood = true;
      warning.close();
    }
  };

  form.addEventListener("submit", stay);
  warning.addEventListener("cancel", stay); // Escape: somebody is there
  document.addEventListener("session:ended", () => end());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && (ended || Date.now() >= due || warning.open)) ask();
  });

  const left = Number(box.dataset.left);
  askIn(Math.max(left - WARNING, 1));
})();
