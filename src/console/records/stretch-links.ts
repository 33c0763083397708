import { html, type SafeHtml } from '@remix-run/html-template'
import type { RecordsOrigin } from '../../audit/recent-records.ts'
import { beyondText } from './stretch-note.ts'

/** Returns what leads from an earlier stretch back to the newest records. */
export function newestLink(url: string): SafeHtml {
  return html`<p class="newest"><a href="${url}">Back to the newest</a></p>`
}

/** Returns what leads to the stretch before one, or says what there is beyond it if `url` is undefined. */
export function furtherLink(url: string | undefined, origin: RecordsOrigin): SafeHtml {
  const further =
    url === undefined ? beyondText(origin) : html`<a href="${url}" rel="next">Look further back</a>`
  return html`<p class="further">${further}</p>`
}
