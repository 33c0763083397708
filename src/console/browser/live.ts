import morphdom from 'morphdom'

const DEFAULT_INTERVAL_MS = 2000

/**
 * Keeps each element with `data-live` up to date: while the page is visible, fetches the URL that it names every `data-every`
 * milliseconds, 2 s by default, and changes what differs. Focus and selection stay where they are. After a failure, the element has
 * `data-stale` until the next success.
 */
export function updateLiveParts(page: Document): void {
  for (const part of page.querySelectorAll<HTMLElement>('[data-live]')) follow(part)
}

function follow(part: HTMLElement): void {
  const intervalMs = Number(part.dataset.every ?? DEFAULT_INTERVAL_MS)
  const update = async () => {
    if (document.visibilityState === 'visible') await refresh(part)
    setTimeout(update, intervalMs)
  }
  setTimeout(update, intervalMs)
}

async function refresh(part: HTMLElement): Promise<void> {
  try {
    const reply = await fetch(part.dataset.live ?? '', { signal: AbortSignal.timeout(10_000) })
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`)
    const { body } = new DOMParser().parseFromString(await reply.text(), 'text/html')
    const next = part.cloneNode(false) as HTMLElement
    next.append(...body.childNodes)
    delete next.dataset.stale
    morphdom(part, next)
  } catch {
    part.dataset.stale = ''
  }
}
