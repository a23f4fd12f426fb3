// The first click gives the session another id; a second one, too fast, would come as a stranger's.
for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  const free = () => { sent = false; };
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    else setTimeout(free, 5000); // the network may have failed
    sent = true;
  });
  addEventListener("pageshow", free); // back by the browser's button
}
