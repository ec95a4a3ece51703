// What the viewer says, in the language of its page. English stands in the code; another language is
// a table that is fetched only by who reads it (words.zh.js).
let table = {};
let locale = "en-GB";

/** Gets the table of a language, where there is one: `speak("zh-hans")`. */
export async function speak(language) {
  if (!/^zh/i.test(language)) return;
  locale = "zh-CN";
  table = (await import("./words.zh.js")).TABLE;
}

/** The sentence in the reader's language, its {holes} filled: `tr("Image {at} of {count}", ...)`. */
export function tr(sentence, holes = {}) {
  return (table[sentence] ?? sentence).replace(/\{(\w+)\}/g, (_, name) => String(holes[name]));
}

/** A day as the reader writes it: "6 Feb 2015". */
export const dated = (date) => date.toLocaleDateString(locale, { day: "numeric", month: "short", year: "numeric" });
