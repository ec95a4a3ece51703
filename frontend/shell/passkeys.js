// allauth's script says when the browser gave no passkey: we say it on the page, where one looks.

export function watchPasskeys() {
  document.addEventListener("allauth.error", (event) => {
    const said = document.querySelector("[data-passkey-error]");
    if (!said) return;
    event.preventDefault();
    said.hidden = false;
    said.focus();
  });
}
