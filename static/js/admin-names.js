/* Names for what Django's admin leaves nameless to a screen reader: the boxes that its
   autocompletion draws, the boxes and an empty heading of its tables of inlines, and a way to
   scroll them. */
(() => {
  const nameAll = () => {
    document.querySelectorAll(".select2-selection").forEach((box) => {
      const select = box.closest(".select2-container").previousElementSibling;
      const label = select?.labels?.[0]?.textContent.replace(":", "").trim();
      const heading = select?.closest("td")?.dataset.columnLabel;
      box.removeAttribute("aria-labelledby");
      [box, box.querySelector("[role=textbox]")].forEach((part) => {
        part?.setAttribute("aria-label", label || heading || "Choix");
      });
      /* Where several may be chosen, one types in the box itself. */
      box.querySelector(".select2-search__field")?.setAttribute("aria-label", label || heading || "Choix");
    });
    document.querySelectorAll(".inline-group td :is(input, select):not([aria-label])").forEach((control) => {
      if (control.type === "hidden" || control.labels.length) return;
      const cell = control.closest("td");
      const field = cell.className.match(/field-(\w+)/)?.[1];
      const heading = field && cell.closest("table").querySelector(`.column-${field}`);
      const name = cell.matches(".delete") ? "Supprimer" : heading?.textContent.trim();
      if (name) control.setAttribute("aria-label", name);
    });
    document.querySelectorAll(".inline-group th:empty").forEach((heading) => {
      const cell = document.createElement("td");
      cell.className = heading.className;
      heading.replaceWith(cell);
    });
    document.querySelectorAll(".inline-group").forEach((group) => {
      if (group.scrollWidth > group.clientWidth) group.tabIndex = 0;
    });
  };
  nameAll();
  /* The boxes are drawn when jQuery pleases, and again for each line that is added. */
  new MutationObserver((changes) => {
    if (changes.some((change) => change.addedNodes.length)) nameAll();
  }).observe(document.body, { childList: true, subtree: true });
})();
