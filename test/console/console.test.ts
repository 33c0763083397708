import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { axeViolations, useBrowser, VIEWS } from '../support/console/browser.ts'
import { NO_READINGS, startConsole } from '../support/console/console.ts'
import { canRun } from '../support/databases/install.ts'

const NO_CONFIG = {} as Config

describe.runIf(await canRun(['chromium']))('the console', () => {
  const browser = useBrowser()

  test.each(Object.entries(VIEWS))(
    'shows databases as text, %s, without a violation of axe',
    async (_name, view) => {
      const rate = {
        resource: 'db-ABC',
        databases: ['orders', '<b>reports</b>'],
        perSecond: 16,
        delivered: 0,
        horizonMs: 5000,
      }
      const readings = {
        ...NO_READINGS,
        rates: () => [{ ...rate, deliveredBySecond: [0], waiting: [], fleet: undefined }],
      }
      const { url } = await startConsole({ readings, currentConfig: () => NO_CONFIG })
      const page = await browser.open(url, view)
      expect(page.url()).toBe(`${url}/databases`)
      expect(await page.getByRole('main').innerText()).toContain('orders, <b>reports</b>')
      expect(await axeViolations(page)).toEqual([])
    },
  )
})
