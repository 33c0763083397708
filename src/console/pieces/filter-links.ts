import { html, type SafeHtml } from '@remix-run/html-template'
import { shownText } from './shown-text.ts'

/** What a page is filtered by: texts by the names of its parameters. */
export type Filters = Readonly<Record<string, string | undefined>>

/** Returns the link of a page with these filters; those without a value are left out. */
export function filteredUrl(path: string, filters: Filters): string {
  const given = Object.entries(filters).filter((entry): entry is [string, string] => !!entry[1])
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

/** Returns a link that shows only what has this value; what is filtered by already stays. */
export function filterLink(
  text: string | SafeHtml,
  { path, filters, set }: { path: string; filters: Filters; set: Filters },
): SafeHtml {
  return html`<a class="filter" href="${filteredUrl(path, { ...filters, ...set })}">${text}</a>`
}

/** Returns what a page is filtered by, each with a link that takes it away; nothing without filters. */
export function activeFilters(path: string, filters: Filters): SafeHtml | null {
  const given = Object.entries(filters).filter(([, value]) => value)
  if (given.length === 0) return null
  return html`<ul class="filters" aria-label="Filtered by">
${given.map(
  ([name, value]) =>
    html`<li><span>${name}: <b>${shownText(value, 200)}</b></span> <a href="${filteredUrl(path, { ...filters, [name]: undefined })}" aria-label="Remove the filter ${name}">remove</a></li>\n`,
)}</ul>`
}
