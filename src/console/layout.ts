import { html, type SafeHtml } from '@remix-run/html-template'
import type { ConsolePage } from './page.ts'

/** Where the console's pages begin. */
export const CONSOLE_PATH = '/console'

export interface PageLayout {
  /** Those of the navigation, in its order. */
  readonly pages: readonly ConsolePage[]
  readonly page: ConsolePage
  readonly content: SafeHtml
}

/** Returns a whole page: its content within the frame that all pages have. */
export function layout({ pages, page, content }: PageLayout): SafeHtml {
  const scripts = ['console', ...(page.scripts ?? [])]
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · jeton</title>
<link rel="stylesheet" href="${CONSOLE_PATH}/assets/console.css">
${scripts.map(name => html`<script type="module" src="${CONSOLE_PATH}/assets/${name}.js"></script>\n`)}</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<span class="brand">jeton</span>
<nav aria-label="Pages">
<ul>
${pages.map(each => navigationItem(each, each === page))}</ul>
</nav>
</header>
<main id="content" tabindex="-1">
<h1>${page.title}</h1>
<p class="description">${page.description}</p>
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
