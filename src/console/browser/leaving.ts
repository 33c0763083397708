/**
 * Calls `clear` when the page is left, and when a browser shows it again from its cache or filled in what was there: what was pasted
 * is not there for whoever comes back.
 */
export function clearOnLeaving(clear: () => void): void {
  addEventListener('pagehide', clear)
  addEventListener('pageshow', clear)
}
