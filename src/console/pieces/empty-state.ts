import { html, type SafeHtml } from '@remix-run/html-template'

/** Returns what stands where nothing is to be shown: why, and what would change that. */
export function emptyState(text: string | SafeHtml): SafeHtml {
  return html`<p class="empty">${text}</p>`
}
