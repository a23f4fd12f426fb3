"""A page by keyboard alone: what the Tab key reaches, as somebody who sees it would know it."""

# What a screen reader would call what has the focus, near enough to know it by.
NAME = """() => {
  const el = document.activeElement;
  const label = el.labels && el.labels.length ? el.labels[0].innerText : "";
  return (el.getAttribute("aria-label") || label || el.value || el.textContent || "").trim();
}"""
SEEN = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" || style.boxShadow !== "none";
}"""
STOPS = 60  # before what is looked for


def reach(page, name, stops=STOPS):
    """Tabs to what is called so; it shows that it has the focus."""
    for _ in range(stops):
        page.keyboard.press("Tab")
        if page.evaluate(NAME).startswith(name):
            assert page.evaluate(SEEN), f"{name}: the focus does not show"
            return
    raise AssertionError(f"{name}: not reached in {stops} tabs")


def enter(page, name, stops=STOPS):
    """Reaches a link or a button, and follows it."""
    reach(page, name, stops)
    with page.expect_navigation():
        page.keyboard.press("Enter")
