const ASCII = /^[ -~]*$/
const ZERO_WIDTH = /\p{M}/u
const HALF_WIDTH = /[\uff61-\uffdc]/u
/** What terminals show in two columns: UAX 11, roughly. */
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u

/** Returns how many columns printable text takes on a terminal: two for emoji and for most of what East Asia writes. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  return [...text].reduce((width, char) => width + widthOf(char), 0)
}

function widthOf(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0
  if (HALF_WIDTH.test(char)) return 1
  return WIDE.test(char) ? 2 : 1
}
