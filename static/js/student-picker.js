// Shows the student as soon as a pointer chooses one. With the keyboard the button does it, since
// some browsers change the value at each arrow key.
for (const picker of document.querySelectorAll("[data-student-picker]")) {
  let pointed = false;
  picker.addEventListener("pointerdown", () => {
    pointed = true;
  });
  picker.addEventListener("keydown", () => {
    pointed = false;
  });
  picker.addEventListener("change", () => {
    if (pointed) picker.form.requestSubmit();
  });
}
