import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { tokensByDatabase } from '../../src/console/databases/tokens-by-database.ts'
import { JetonError } from '../../src/errors.ts'
import type { Readings } from '../../src/telemetry/readings.ts'
import { axeViolations, useBrowser, VIEWS } from '../support/console/browser.ts'
import { startConsole } from '../support/console/console.ts'
import { liveToken, rateReading, readingsOf } from '../support/console/readings.ts'
import { canRun } from '../support/databases/install.ts'

const FLEET = { store: { type: 'dynamodb' } } as Config
const ALONE = { store: { type: 'memory' } } as Config
const HOST = { host: 'localhost' }

/** Returns the text of the page that shows these readings, without its tags. */
async function pageText(
  readings: (now: number) => Readings,
  { url = '/console/databases', config = FLEET } = {},
): Promise<string> {
  let now = 0
  const { app, clock } = await startConsole({
    currentConfig: () => config,
    readings: { ...readingsOf([]), ...lazily(() => readings(now)) },
  })
  now = clock.now()
  const { statusCode, body } = await app.inject({ url, headers: HOST })
  expect(statusCode).toBe(200)
  return body.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
}

function lazily(read: () => Readings): Pick<Readings, 'rates' | 'liveTokens'> {
  return { rates: () => read().rates(), liveTokens: () => read().liveTokens() }
}

describe('the page of databases', () => {
  test('says of each number whose it is and how old', async () => {
    const text = await pageText(now =>
      readingsOf(
        [
          rateReading({
            delivered: 4,
            deliveredBySecond: [...Array(297).fill(0), 3, 1, 0],
            waiting: [{ grant: 'orders-deploy', callers: 2 }],
            fleet: { readAt: now - 4000, nextFreeAt: now + 1500, reserved: 24, free: 56 },
          }),
        ],
        [liveToken(now), liveToken(now, { isMintedHere: false, refreshAfter: now - 1 })],
      ),
    )
    expect(text).toContain(
      '4 new tokens in the last 5 minutes, 3 in one second at most, delivered by this instance alone',
    )
    expect(text).toContain('Next free slot in 1.5 s the fleet’s record, 4 s ago')
    expect(text).toMatch(/Slots free of the next 5 s 56 of 80 the fleet’s record, 4 s ago/)
    expect(text).toContain('Slots reserved 24 the fleet’s record, 4 s ago')
    expect(text).toContain('Waiting for a slot 2 2 by orders-deploy this instance, now')
    expect(text).toContain('Live tokens 2 this instance, now')
    expect(text).toContain('in 4 min End in 10 min From this instance')
    expect(text).toContain('with the next request End in 10 min From the store')
    expect(text).toContain('bars, waiting callers, tokens and role sessions are those of this instance')
  })

  test('shows what is old as old, and what was never read not at all', async () => {
    const old = await pageText(now =>
      readingsOf([rateReading({ fleet: { readAt: now - 60_000, nextFreeAt: now, reserved: 0, free: 80 } })]),
    )
    expect(old).toContain('Slots reserved 0 the fleet’s record, 60 s ago (old)')
    const unread = await pageText(() => readingsOf([rateReading()]))
    expect(unread).toContain('Next free slot – the fleet’s record: not read yet')
    expect(unread).not.toMatch(/Slots (free|reserved)[^–]{0,30}\d+ of/)
  })

  test('calls nothing the fleet’s if this instance has slots of its own', async () => {
    const text = await pageText(
      now => readingsOf([rateReading({ fleet: { readAt: now, nextFreeAt: now, reserved: 0, free: 80 } })]),
      { config: ALONE },
    )
    expect(text).toContain('knows of no other')
    expect(text).not.toContain('fleet')
  })

  test('is short with 100 resources and 20,000 tokens, and says how many more there are', async () => {
    const rates = Array.from({ length: 100 }, (_none, index) =>
      rateReading({ resource: `db-${index}`, databases: [`orders-${index}`] }),
    )
    let tokens: ReturnType<typeof liveToken>[] | undefined
    const many = (now: number) => {
      tokens ??= Array.from({ length: 20_000 }, (_none, index) =>
        liveToken(now, {
          database: `orders-${index % 100}`,
          user: `user-${index}`,
          expiresAt: now + 600_000 - index,
        }),
      )
      return readingsOf(rates, tokens)
    }
    const text = await pageText(many)
    expect(text.length).toBeLessThan(60_000)
    expect(text).toContain('and 192 more')
    expect(text).toContain('Resources 1 to 12, and 88 more')
    // those that end first
    expect(text).toContain('user-19900')
    expect(text).not.toContain('user-17000')
    expect(await pageText(many, { url: '/console/databases?page=9' })).toContain(
      'Resources 97 to 100, and 96 more',
    )
  })

  test('takes no page that is none', async () => {
    for (const page of ['0', '-1', 'x', '999999', '1e9', '%00', '1&page=2'])
      await pageText(() => readingsOf([rateReading()]), { url: `/console/databases?page=${page}` })
  })

  test('is shown although the store does not answer', async () => {
    const { app, clock } = await startConsole({
      currentConfig: () => FLEET,
      readings: readingsOf([rateReading()]),
      refreshFleetSlots: () => new Promise(() => {}),
    })
    const reply = app.inject({ url: '/console/databases', headers: HOST })
    const answered = reply.then(({ statusCode }) => statusCode)
    await expect
      .poll(async () => {
        await clock.advance(100)
        return Promise.race([answered, new Promise(resolve => setImmediate(resolve))])
      })
      .toBe(200)
  })
})

test('tokensByDatabase keeps those that end first, whatever their order', () => {
  const ends = [5, 3, 9, 1, 7, 3]
  const found = tokensByDatabase(
    ends.map(expiresAt => liveToken(0, { expiresAt })),
    3,
  ).get('orders')
  expect(found?.count).toBe(6)
  expect(found?.soonest.map(({ expiresAt }) => expiresAt)).toEqual([1, 3, 3])
})

/** What the last bar is filled with, in the middle of its width and near its foot. */
const BAR_COLOR = `(() => {
  const canvas = document.querySelector('canvas')
  const context = canvas.getContext('2d')
  const { data, width } = context.getImageData(0, 0, canvas.width, canvas.height)
  const counts = {}
  for (let at = 0; at < data.length; at += 4) {
    const color = 'rgb(' + [data[at], data[at + 1], data[at + 2]].join(' ') + ')'
    if (data[at + 3] === 255 && Math.floor(at / 4) % width > width - 60) counts[color] = (counts[color] ?? 0) + 1
  }
  return Object.keys(counts).find(color => color === 'rgb(75 146 132)' || color === 'rgb(88 171 152)') ?? JSON.stringify(counts)
})()`

const HIDE = "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })"
const UNHIDE = "delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))"

describe.runIf(await canRun(['chromium']))('the page of databases in a browser', () => {
  const browser = useBrowser()
  const burst = (count: number) =>
    rateReading({ delivered: count, deliveredBySecond: [...Array(299).fill(0), count] })

  test('draws bars in the colours of the page, keeps them up to date, and says when jeton is lost or lets nobody in', async () => {
    let rates = [burst(3), rateReading({ resource: 'db-2', databases: ['<img src=x onerror=alert(1)>'] })]
    const readings = { ...readingsOf([]), rates: () => rates }
    let isShutOut = false
    const admit = async () => {
      if (isShutOut) throw new JetonError('access_denied', { publicMessage: 'you are no operator' })
    }
    const { url, app } = await startConsole({ currentConfig: () => FLEET, readings, admit })
    const [light, dark] = await Promise.all([
      browser.open(`${url}/databases`),
      browser.open(`${url}/databases`, VIEWS.dark),
    ])
    for (const page of [light, dark]) await page.locator('.drawing canvas').first().waitFor()
    const colors = await Promise.all([light, dark].map(page => page.evaluate<string>(BAR_COLOR)))
    expect(colors).toEqual(['rgb(75 146 132)', 'rgb(88 171 152)'])
    expect(await light.locator('main').innerText()).toContain('<img src=x onerror=alert(1)>')

    await light.evaluate("document.querySelector('canvas').setAttribute('data-same', '')")
    await light.locator('summary').first().click()
    await dark.evaluate(HIDE)
    // what it waits for at this moment may still come
    await dark.waitForTimeout(100)
    let requests = 0
    dark.on('request', () => requests++)
    rates = [burst(11), ...rates.slice(1)]
    await light.getByText('11 new tokens').waitFor()
    rates = [burst(12), ...rates.slice(1)]
    await light.getByText('12 new tokens').waitFor()
    expect(requests).toBe(0)
    await dark.evaluate(UNHIDE)
    await dark.getByText('12 new tokens').waitFor()
    expect(await light.locator('canvas[data-same]').count()).toBe(1)
    expect(await light.locator('details').first().getAttribute('open')).toBeNull()

    await dark.evaluate(HIDE)
    isShutOut = true
    await light.getByText('You are not let in any more').waitFor()
    expect(await axeViolations(light)).toEqual([])
    requests = 0
    light.on('request', () => requests++)
    isShutOut = false
    dark.removeAllListeners('request')
    await dark.evaluate(UNHIDE)
    rates = [burst(13), ...rates.slice(1)]
    await dark.getByText('13 new tokens').waitFor()

    await app.close()
    await dark.getByText('No answer from jeton').waitFor()
    expect(requests).toBe(0)
  }, 60_000)
})
