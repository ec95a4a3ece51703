// What the viewer can be told to do, by name. Buttons (`data-do`, `data-arg`) and keys run commands;
// a tool adds its own, so that neither the page's wiring nor this file knows it.

/**
 * @param {() => boolean} isOver silences every command once access has ended
 */
export function createCommands(isOver) {
  const known = new Map();
  const keys = new Map();

  function run(name, ...args) {
    if (!isOver()) known.get(name)?.(...args);
  }

  return {
    run,
    /** Adds commands: `add({ invert: () => ... })`. A name is given once. */
    add(commands) {
      for (const [name, command] of Object.entries(commands)) {
        if (known.has(name)) throw new Error(`the command ${name} is there already`);
        known.set(name, command);
      }
    },
    /** Binds single keys: `bind({ i: ["invert"], s: ["tool", "scroll"] })`. */
    bind(bindings) {
      for (const [key, call] of Object.entries(bindings)) keys.set(key, call);
    },
    /** What a key stands for, or undefined. */
    ofKey: (key) => keys.get(key),
  };
}

/** Lets every button of the page run its command, also one that is added later. */
export function listenToButtons(commands) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const { do: name, arg } = button.dataset;
    commands.run(name, arg);
    const sheet = button.closest("#more");
    if (sheet && name !== "close") sheet.close();
  });
}
