// Menus are <details class="menu">: they open by themselves. Here they close: Esc, elsewhere, another.

function closeOthers(kept) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== kept && !menu.contains(kept)) menu.open = false;
  }
}

/** Closes the open menu and gives the focus back to its word. Returns whether there was one. */
export function closeMenu() {
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return false;
  menu.open = false;
  menu.querySelector("summary").focus();
  return true;
}

export function watchMenus() {
  document.addEventListener("click", (event) => closeOthers(event.target.closest("details.menu")));
  document.addEventListener("focusin", (event) => {
    if (document.querySelector("details.menu[open]")) closeOthers(event.target.closest("details.menu"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && closeMenu()) event.preventDefault();
  });
  openFiltersOnWideScreens();
}

function openFiltersOnWideScreens() {
  const wide = matchMedia("(min-width: 992px)");
  const set = () => {
    for (const filters of document.querySelectorAll("details.filters")) filters.open = wide.matches;
  };
  wide.addEventListener("change", set);
  set();
}
