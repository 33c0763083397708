import { html, type SafeHtml } from '@remix-run/html-template'
import type { ConsolePage } from './page.ts'

/** Where the console's pages begin. */
export const CONSOLE_PATH = '/console'

export interface PageLayout {
  /** All of them, in the order of the navigation. */
  readonly pages: readonly ConsolePage[]
  /** The page that is shown; of an error, without a path. */
  readonly page: Pick<ConsolePage, 'title' | 'scripts' | 'below'> &
    Partial<Pick<ConsolePage, 'path' | 'description'>>
  readonly content: SafeHtml
  /** The time of the server, in milliseconds. */
  readonly now: number
}

/** Returns a whole page: its content within the frame that all pages have. */
export function layout({ pages, page, content, now }: PageLayout): SafeHtml {
  const { title, description, scripts = [] } = page
  const shown = page.below ?? page.path
  return html`<!doctype html>
<html lang="en" data-now="${new Date(now).toISOString()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · jeton</title>
<link rel="icon" href="${CONSOLE_PATH}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${CONSOLE_PATH}/assets/console.css">
${['console', ...scripts].map(name => html`<script type="module" src="${CONSOLE_PATH}/assets/${name}.js"></script>\n`)}</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="${CONSOLE_PATH}">jeton</a>
<nav aria-label="Pages">
<ul>
${pages.filter(({ below }) => below === undefined).map(each => navigationItem(each, each.path === shown))}</ul>
</nav>
<p class="live"><span role="status" data-pause-state></span> <button type="button" data-pauses aria-pressed="false" hidden>Pause</button></p>
<div role="status"><p class="lost" hidden></p></div>
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${description === undefined ? null : html`<p class="description">${description}</p>`}
${content}
</main>
</body>
</html>
`
}

function navigationItem({ path, title }: ConsolePage, isCurrent: boolean): SafeHtml {
  const current = isCurrent ? html` aria-current="page"` : null
  return html`<li><a href="${CONSOLE_PATH}${path}"${current}>${title}</a></li>\n`
}
