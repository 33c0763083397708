import { setTimeout as pause } from 'node:timers/promises'
import type { Jeton } from '../support/service/jeton.ts'

/** The pages that are live, and how often a browser that shows one fetches it again. */
const LIVE_PAGES = ['/console/databases', '/console/records', '/console/refusals']
const EVERY_MS = 2000

export interface WatchedPage {
  readonly path: string
  readonly tookMs: readonly number[]
  /** Of the last reply. */
  readonly bytes: number
}

/**
 * Fetches the live pages of a console as a browser does that shows each in a window of its own. `stop` returns what came, and
 * throws if an answer was not a page.
 */
export function watchConsole({ admin }: Pick<Jeton, 'admin'>) {
  const end = new AbortController()
  const windows = LIVE_PAGES.map(watch)

  async function watch(path: string): Promise<WatchedPage> {
    const tookMs: number[] = []
    let bytes = 0
    while (!end.signal.aborted) {
      const begun = performance.now()
      const reply = await fetch(new URL(path, admin), { headers: { accept: 'text/html' } })
      const text = await reply.text()
      tookMs.push(performance.now() - begun)
      bytes = Buffer.byteLength(text)
      if (reply.status !== 200 || !text.includes('<!doctype html>'))
        throw new Error(`${path}: ${reply.status} ${text.slice(0, 200)}`)
      await pause(EVERY_MS, undefined, { signal: end.signal }).catch(() => {})
    }
    return { path, tookMs, bytes }
  }

  const watched = Promise.all(windows)
  watched.catch(() => {})
  return {
    stop(): Promise<WatchedPage[]> {
      end.abort()
      return watched
    },
  }
}
