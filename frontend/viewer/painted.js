/** Runs `work` when what is drawn now is really on the screen: two frames of the page from now. */
export const oncePainted = (work) => requestAnimationFrame(() => requestAnimationFrame(work));
