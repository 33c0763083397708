import { html, type SafeHtml } from '@remix-run/html-template'

export interface Paging {
  /** What the pages are of. */
  readonly label: string
  /** Which part is shown, and of how much. */
  readonly text: string
  /** From 1. */
  readonly page: number
  readonly pages: number
  urlOf(page: number): string
}

/** Returns which page is shown, with links to those before and after it. */
export function paging({ label, text, page, pages, urlOf }: Paging): SafeHtml {
  const link = (to: number, rel: string, name: string) =>
    html`<li><a href="${urlOf(to)}" rel="${rel}">${name}</a></li>`
  return html`<nav class="paging" aria-label="${label}">
<p>${text}</p>
${
  pages === 1
    ? null
    : html`<ul>${page > 1 ? link(page - 1, 'prev', 'Those before') : null}${page < pages ? link(page + 1, 'next', 'Those after') : null}</ul>
`
}</nav>
`
}
