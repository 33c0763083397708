import type { Page } from 'playwright-core'
import { axeViolations } from './browser.ts'

/** What of a page scrolls sideways, leaves out a level of headings, or ticks where a screen reader reads changes out. */
const LAYOUT_FAULTS = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]))
  const ticking = document.querySelectorAll(':is([role="status"], [role="alert"], [aria-live]) time[data-relative]')
  return [
    scrollWidth > clientWidth && 'scrolls sideways by ' + (scrollWidth - clientWidth) + ' px',
    levels.some((level, at) => level > (levels[at - 1] ?? 0) + 1) && 'headings leave out a level: ' + levels,
    ticking.length > 0 && 'reads out a time each second',
  ].filter(Boolean)
})()`

/** Returns what is wrong with a page as it stands: what axe-core finds (by all rules, or by these), and what it does not look for. */
export async function pageFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  return [...(await page.evaluate<string[]>(LAYOUT_FAULTS)), ...(await axeViolations(page, rules))]
}
