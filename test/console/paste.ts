import type { Page } from 'playwright-core'

/** Pastes a text into the field with this label, by the keyboard. */
export async function paste(page: Page, label: string, text: string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`)
  await page.getByLabel(label).focus()
  await page.keyboard.press('ControlOrMeta+V')
}

/** Collects all that a page requests from then on, but for its icon, which may come late: URLs, headers and bodies, as one text. */
export function collectRequests(page: Page): { text(): string; count(): number } {
  const requests: string[] = []
  page.on('request', request => {
    if (request.url().endsWith('/console/assets/icon.svg')) return
    requests.push(
      `${request.method()} ${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`,
    )
  })
  return { text: () => requests.join('\n'), count: () => requests.length }
}
