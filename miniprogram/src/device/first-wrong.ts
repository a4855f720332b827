/** In a browser: the first field that is said to be wrong gets the focus, so that it is on the screen and read out. */
export function showFirstWrong(): void {
  // #ifdef H5
  setTimeout(() => {
    const wrong = Array.from(globalThis.document?.querySelectorAll<HTMLElement>("[aria-invalid='true']") ?? []);
    wrong.find((one) => one.offsetParent !== null)?.focus();
  }, 0); // it is marked with the next drawing
  // #endif
}
