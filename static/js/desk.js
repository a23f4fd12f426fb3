/* The desk of a campaign reads itself again every 30 seconds, part by part; what somebody is in the
   middle of stays. It can be stopped. To read is nobody's doing: the session does not last longer. */
(() => {
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;

  const EVERY = 30 * 1000;
  const pause = desk.querySelector("[data-pause]");
  const told = desk.querySelector("[data-told]");
  let timer;

  const isStopped = () => pause.getAttribute("aria-pressed") === "true";

  const isBusy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

  const take = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll("[data-fresh]").forEach((fresh) => {
      const old = document.getElementById(fresh.id);
      if (old && !isBusy(old)) old.replaceWith(fresh);
    });
  };

  const stop = () => {
    clearTimeout(timer);
    pause.setAttribute("aria-pressed", "true");
  };

  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden) return; // see « visibilitychange »
    try {
      const answer = await fetch(location.href, { headers: { "X-Background": "desk" } });
      if (answer.redirected) { // signed out: session.js says so
        stop();
        document.dispatchEvent(new Event("session:ended"));
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.text());
      told.textContent = "";
    } catch {
      told.textContent = "Pas de réponse : nouvel essai dans 30 secondes.";
    }
    if (!isStopped()) timer = setTimeout(refresh, EVERY);
  };

  const go = () => {
    pause.setAttribute("aria-pressed", "false");
    refresh();
  };

  pause.hidden = false;
  pause.addEventListener("click", () => (isStopped() ? go() : stop()));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !isStopped()) refresh();
  });
  document.addEventListener("session:resumed", go);
  timer = setTimeout(refresh, EVERY);
})();
