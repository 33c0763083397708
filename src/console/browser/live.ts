import morphdom from 'morphdom'
import { LIVE } from './held.ts'
import { isShutOut, SHUT_OUT } from './shut-out.ts'
import { parsePage } from './trusted.ts'
import { UPDATED } from './updated.ts'

const INTERVAL_MS = 2000
const TIMEOUT_MS = 10_000
const NO_ANSWER = 'No answer from jeton: what you see is old.'

/**
 * Keeps the elements with `data-live` up to date: while the page is visible, fetches the page itself again every 2 s, and changes
 * what differs in those of the same `id`. Focus and selection stay where they are, and an element with `data-kept` as it is. After
 * a failure the page says so, until the next success; and if its reader is not let in any more, for good: each refusal is recorded.
 */
export function updateLiveElements(page: Document): void {
  if (!page.querySelector('[data-live]')) return
  let timer: ReturnType<typeof setTimeout> | undefined
  const update = async () => {
    if (page.visibilityState === 'visible') {
      if (page.querySelector(LIVE) && (await refresh(page)) === 'shut out') return
      timer = setTimeout(update, INTERVAL_MS)
    } else timer = undefined
  }
  timer = setTimeout(update, INTERVAL_MS)
  page.addEventListener('visibilitychange', () => {
    if (timer === undefined) timer = setTimeout(update)
  })
}

async function refresh(page: Document): Promise<'shut out' | undefined> {
  try {
    const reply = await fetch(page.location.href, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (isShutOut(reply.status)) {
      showLost(page, SHUT_OUT)
      return 'shut out'
    }
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`)
    const next = parsePage(await reply.text())
    replaceLive(page, next)
    page.documentElement.dataset.now = next.documentElement.dataset.now
    showLost(page, undefined)
    page.dispatchEvent(new Event(UPDATED))
  } catch {
    showLost(page, NO_ANSWER)
  }
  return undefined
}

function replaceLive(page: Document, next: Document): void {
  for (const element of page.querySelectorAll<HTMLElement>(LIVE)) {
    const newer = next.getElementById(element.id)
    if (newer) morphdom(element, newer, { onBeforeElUpdated, onBeforeNodeDiscarded })
  }
}

function onBeforeElUpdated(from: HTMLElement, to: HTMLElement): boolean {
  if (from.dataset.kept !== undefined) return false
  // what a reader opened stays open
  if (from instanceof HTMLDetailsElement && to instanceof HTMLDetailsElement) to.open = from.open
  return !from.isEqualNode(to)
}

function onBeforeNodeDiscarded(node: Node): boolean {
  return !(node instanceof HTMLElement && node.dataset.kept !== undefined)
}

function showLost(page: Document, why: string | undefined): void {
  page.documentElement.toggleAttribute('data-lost', why !== undefined)
  const notice = page.querySelector<HTMLElement>('.lost')
  if (!notice) return
  notice.hidden = why === undefined
  notice.textContent = why ?? ''
}
