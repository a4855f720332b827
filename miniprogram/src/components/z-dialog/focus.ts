const REACHABLE = "button:not([disabled]), a[href], input:not([disabled]), select, textarea, [tabindex='0']";

/** In a browser: the focus goes into the dialog when it stands, stays there while Tab is pressed, and goes back to
 * where it was. Escape calls `close`. Calling what is given back ends it. */
export function holdFocus(id: string, close: () => void): () => void {
  const before = document.activeElement;
  const dialog = () => document.getElementById(id);
  const timer = setTimeout(() => dialog()?.focus(), 60); // it is moved in first

  function pressed(event: KeyboardEvent): void {
    if (event.key === "Escape") return close();
    const inside = [...(dialog()?.querySelectorAll<HTMLElement>(REACHABLE) ?? [])];
    const [first, last] = [inside[0], inside[inside.length - 1]];
    if (event.key !== "Tab" || first === undefined || last === undefined) return;
    const at = document.activeElement;
    const outside = !dialog()?.contains(at);
    if (event.shiftKey ? at === first || at === dialog() || outside : at === last || outside) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  document.addEventListener("keydown", pressed, true);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("keydown", pressed, true);
    if (before instanceof HTMLElement) before.focus();
  };
}
