// A message that stays before one's eyes is read: the button posts itself, and says so.
for (const form of document.querySelectorAll("form[data-reads-itself]")) {
  const read = async () => {
    if (document.visibilityState !== "visible") return;
    document.removeEventListener("visibilitychange", read);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (answer.type !== "opaqueredirect") return; // the button stays: its page will say why
      form.hidden = true;
      document.querySelector("[data-read]").hidden = false;
    } catch { /* no network: the button stays */ }
  };
  document.addEventListener("visibilitychange", read);
  setTimeout(read, 2000);
}
