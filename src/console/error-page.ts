import { html, type SafeHtml } from '@remix-run/html-template'
import type { ErrorCode, JetonError } from '../errors.ts'

const TITLES: Partial<Record<ErrorCode, string>> = {
  invalid_request: 'This request is refused',
  unauthenticated: 'Who are you?',
  access_denied: 'Not for you',
  not_found: 'There is nothing here',
  method_not_allowed: 'Not in this way',
  rate_limited: 'Too many failures',
  temporarily_unavailable: 'Not available for the moment',
}

/** Returns the title of the page that stands for an error. */
export function errorTitle({ code }: JetonError): string {
  return TITLES[code] ?? 'The page could not be made'
}

/** Returns what stands on that page: what the caller can mend, its code and the id by which the record is found. */
export function errorContent({ publicMessage, code, status }: JetonError, requestId: string): SafeHtml {
  return html`<p class="error">${sentence(publicMessage)}</p>
<dl class="facts">
<div><dt>Code</dt><dd><code>${code}</code> (${status})</dd></div>
<div><dt>Request</dt><dd><code>${requestId}</code></dd></div>
</dl>
`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`
}
