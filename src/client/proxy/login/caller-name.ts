/** What a session is called of which the caller is not known. */
const NO_NAME = 'jeton proxy'
/** PostgreSQL cuts the rest off. */
const MAX_BYTES = 63

/** Returns what the sessions of a caller are called in its databases: its subject, as databases take names. */
export function callerNameOf(subject: string | undefined): string {
  const printable = (subject ?? '').replace(/[^\x20-\x7e]/gu, '?').trim()
  return printable.slice(0, MAX_BYTES).trim() || NO_NAME
}
