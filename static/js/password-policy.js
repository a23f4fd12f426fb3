// Ticks the rules of a new password as it is typed; the server checks them again, and others.
// Without JavaScript the help of the field tells them, and that is all.
const fold = (text) =>
  text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("œ", "oe").replaceAll("æ", "ae");

const CHECKS = {
  length: (password, value) => {
    const [shortest, longest] = value.split(" ").map(Number);
    const length = [...password].length;
    return shortest <= length && length <= longest;
  },
  upper: (password) => /\p{Uppercase}/u.test(password),
  lower: (password) => /\p{Lowercase}/u.test(password),
  digit: (password) => /\p{Nd}/u.test(password),
  words: (password, value) =>
    password !== "" && !value.split(" ").some((word) => word && fold(password).includes(word)),
};

for (const box of document.querySelectorAll("[data-password-rules]")) {
  const input = document.getElementById(box.dataset.passwordRules);
  const told = box.querySelector("[aria-live]");
  const rules = [...box.querySelectorAll("[data-rule]")];
  let waiting;
  const check = () => {
    for (const rule of rules) {
      rule.classList.toggle("kept", CHECKS[rule.dataset.rule](input.value, rule.dataset.value));
    }
    // Once the typing pauses, so that a screen reader is not interrupted at each key.
    clearTimeout(waiting);
    waiting = setTimeout(tell, 700);
  };
  const tell = () => {
    const left = rules.filter((rule) => !rule.classList.contains("kept"));
    if (input.value === "") {
      told.textContent = "";
    } else if (left.length === 0) {
      told.textContent = "Le mot de passe respecte les règles affichées.";
    } else {
      told.textContent = `Il reste à respecter\u00a0: ${left.map((rule) => rule.textContent).join(", ")}.`;
    }
  };
  input.addEventListener("input", check);
  // reveal.js may have put the field in a group with its button.
  (input.closest(".reveal") ?? input).after(box);
  box.hidden = false;
  check();
}
