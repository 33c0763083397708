/** What every POSIX shell takes as it stands. */
const PLAIN_WORD = /^[\w.@/:,+-]+$/

/** Returns text as one word of a POSIX shell, in single quotes, so that none of it is executed. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Returns text as one word of a POSIX shell, without quotes where it needs none: for commands that people read. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : quoteForShell(text)
}
