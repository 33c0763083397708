import { chromium, type Page } from 'playwright-core'
import { ensureInstalled } from '../support/databases/install.ts'
import { cachedVendLoad, startBenchedService } from './benched-service.ts'
import { findCores } from './cores.ts'
import { ensureWrk, loadWithWrk } from './load.ts'
import type { Plan } from './pairs.ts'
import { reportCheck, reportFigure } from './report.ts'

const SECONDS = 20
/** What a busy server vends at least while it is looked at. */
const MIN_PER_SECOND = 2000
/** A browser asks again 2 s after an answer: longer than this, and a reader takes the page for stuck. */
const MAX_GAP_MS = 4000

/** Opens the newest records in a real browser while a server vends as fast as it can, and sees whether they stay the newest. */
export async function consoleLive({ seconds = SECONDS }: Plan): Promise<void> {
  await ensureWrk()
  const [missing] = await ensureInstalled(['chromium'])
  if (missing) throw new Error(`this needs Chromium: ${missing.reason}`)
  const cores = await findCores()
  const service = await startBenchedService({
    cores,
    sections: {
      server: { admin: { port: 0, console: true } },
      audit: [{ type: 'file', path: 'audit.jsonl' }],
    },
  })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const { load } = await cachedVendLoad(service)
    const page = await browser.newPage()
    await page.goto(new URL('/console/records', service.jeton.admin).href)
    const before = await newestRecord(page)
    await page.evaluate(NOTE_UPDATES)
    const { requests } = await loadWithWrk(load, { seconds, prefix: cores.load })
    const { gaps, isLost } = await readUpdates(page)
    const perSecond = requests / seconds
    const longest = Math.max(...gaps)
    const isNewer = (await newestRecord(page)) !== before
    reportFigure(
      'vends a second while the newest records are open in a browser',
      Math.round(perSecond).toLocaleString('en'),
    )
    reportCheck(
      `the page stays up to date at ${MIN_PER_SECOND} vends a second and more, each ${MAX_GAP_MS} ms at least`,
      {
        isKept: perSecond >= MIN_PER_SECOND && isNewer && !isLost && longest <= MAX_GAP_MS,
        figure: `${gaps.length - 1} updates in ${seconds} s, ${Math.round(longest)} ms between two at most`,
      },
    )
  } finally {
    await browser.close()
    await service.close()
  }
}

/** Returns where the first record of the page leads to. */
function newestRecord(page: Page): Promise<string | null> {
  return page.locator('#records a[href^="/console/records/"]').first().getAttribute('href')
}

/** Scripts as text: the compiler knows no browser here. */
const NOTE_UPDATES = `
  globalThis.times = [performance.now()]
  document.addEventListener('jeton:updated', () => times.push(performance.now()))`
const READ_UPDATES = `({
  times: [...times, performance.now()],
  isLost: document.documentElement.hasAttribute('data-lost'),
})`

/** Returns how long it was from each update of the page to the next, in milliseconds, the time until now included. */
async function readUpdates(page: Page): Promise<{ gaps: number[]; isLost: boolean }> {
  const { times, isLost } = await page.evaluate<{ times: number[]; isLost: boolean }>(READ_UPDATES)
  return { gaps: times.slice(1).map((time, at) => time - (times[at] ?? time)), isLost }
}
