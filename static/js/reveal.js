// « Afficher » / « Masquer » beside a password, so that it can be read on a phone's keyboard.
for (const input of document.querySelectorAll("input[data-reveal]")) {
  const button = document.createElement("button");
  const group = document.createElement("div");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Masquer" : "Afficher";
  };
  button.type = "button";
  button.className = "btn btn-outline-secondary";
  const name = document.querySelector(`label[for="${input.id}"]`)?.textContent.trim();
  const label = name ? ` : ${name.toLowerCase()}` : "";
  const toggle = (shown) => {
    show(shown);
    button.setAttribute("aria-label", button.textContent + label);
  };
  button.addEventListener("click", () => toggle(input.type === "password"));
  // Sent as text, browsers would offer to remember it with what was typed in other forms.
  input.form?.addEventListener("submit", () => toggle(false));
  group.className = "reveal";
  input.replaceWith(group);
  group.append(input, button);
  toggle(false);
}
