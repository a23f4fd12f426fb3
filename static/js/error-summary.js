// Here and in the administration: whoever listens to the page, or looks at its foot, hears first what is to be mended.
document.querySelector(".error-summary")?.focus();
