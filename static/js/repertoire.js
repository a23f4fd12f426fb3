// What the conservatoire already plays, suggested as one types; « Chercher » does it without a script.
const WAIT = 250; // milliseconds after the last letter

for (const box of document.querySelectorAll("[data-works]")) {
  const form = box.closest("form");
  const { composer, title } = form.elements;
  const told = box.querySelector("[data-works-told]");
  const list = box.querySelector("[data-works-list]");
  let timer;
  let asked = 0;

  box.querySelector("[data-works-search]").remove();
  composer.removeAttribute("list"); // the browser's own list minds accents

  const choose = (suggestion) => {
    composer.value = suggestion.composer;
    if (suggestion.title) title.value = suggestion.title;
    list.replaceChildren();
    told.textContent = "";
    (suggestion.title ? form.elements.movement : title).focus();
    if (!suggestion.title) ask();
  };

  const show = (suggestions) => {
    list.replaceChildren(
      ...suggestions.map((suggestion) => {
        const button = document.createElement("button");
        const item = document.createElement("li");
        button.type = "button";
        button.className = "btn btn-outline-secondary";
        button.append(suggestion.composer);
        if (suggestion.title) {
          const name = document.createElement("strong");
          name.textContent = suggestion.title;
          button.append(" ", name);
        }
        button.addEventListener("click", () => choose(suggestion));
        item.append(button);
        return item;
      }),
    );
    const count = suggestions.length;
    told.textContent = count
      ? `${count} suggestion${count > 1 ? "s" : ""} de ce que le conservatoire joue`
      : "";
  };

  const ask = async () => {
    const mine = ++asked;
    const query = new URLSearchParams({ compositeur: composer.value, oeuvre: title.value });
    try {
      const answer = await fetch(`${box.dataset.works}?${query}`);
      if (answer.ok && mine === asked) show((await answer.json()).suggestions);
    } catch {
      // without a network one types the whole name
    }
  };

  for (const input of [composer, title]) {
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT);
    });
  }
  // on a slow phone one types before this script has come, and « back » gives a form already filled
  if ([composer, title].some((input) => input.value !== input.defaultValue)) ask();
}
