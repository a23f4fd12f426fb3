/* The viewer of pieces: one key per decision, never while a field is typed in. Every key presses a
   button or a link that is on the page: without this file, everything works as well. */
(() => {
  const viewer = document.querySelector("[data-viewer]");
  if (!viewer) return;

  const OFF = "viewer-keys-off";
  const UNSEEN = 600; // ms: a second press, meant for the piece before, must not accept this one
  const help = document.querySelector("[data-keys]");
  const onOff = document.querySelector("[data-keys-switch]");
  const opened = performance.now();

  const areOff = () => {
    try {
      return localStorage.getItem(OFF) === "yes";
    } catch {
      return false; // no storage: for this page only
    }
  };

  const turn = (off) => {
    onOff.setAttribute("aria-pressed", String(!off));
    onOff.textContent = off ? "Raccourcis coupés" : "Raccourcis actifs";
    try {
      localStorage.setItem(OFF, off ? "yes" : "no");
    } catch {
      /* see areOff */
    }
  };

  const isOn = () => onOff.getAttribute("aria-pressed") === "true";

  const isTyping = (target) =>
    target.isContentEditable || target.matches("textarea, select, input:not([type='checkbox'])");

  const press = (key) => document.querySelector(`[data-key="${key}"]`)?.click();

  const actions = {
    a: () => performance.now() - opened > UNSEEN && press("a"),
    n: () => press("n"),
    p: () => press("p"),
    c: () => viewer.querySelector("[name='checked']")?.click(),
    r: () => {
      const refusal = document.getElementById("refusal");
      if (!refusal) return;
      refusal.open = true;
      refusal.querySelector("select").focus();
    },
    "?": () => {
      help.open = !help.open;
      help.querySelector("summary").focus();
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !isOn()) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  // A form leaves once: the second press finds it gone.
  let left = false;
  viewer.addEventListener("submit", (event) => {
    if (left) event.preventDefault();
    left = true;
  });
  window.addEventListener("pageshow", () => { left = false; });

  help.hidden = false;
  turn(areOff());
  onOff.addEventListener("click", () => turn(isOn()));

  // While the images are being drawn: shown as soon as they are, unless something was typed.
  const waits = viewer.dataset.waits;
  let touched = false;
  viewer.addEventListener("input", () => { touched = true; });
  const look = async (times) => {
    if (!times || touched) return;
    try {
      const answer = await fetch(waits, { headers: { "X-Background": "viewer" } });
      if (answer.ok && !answer.redirected && !touched) {
        location.reload();
        return;
      }
    } catch {
      /* no network: the next time */
    }
    setTimeout(look, 2000, times - 1);
  };
  if (waits) setTimeout(look, 2000, 30);
})();
