import type { FastifyInstance } from 'fastify'
import { CONSOLE_PATH, layout } from './layout.ts'
import type { ConsolePage } from './page.ts'
import { databasesPage } from './pages/databases.ts'
import type { ConsoleParts } from './parts.ts'

/** Scripts, styles and requests of this origin alone, and nothing that a page could be framed in. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** Adds the operator's pages to an app. They change nothing. Does not check who asks. */
export function addConsole(app: FastifyInstance, parts: ConsoleParts): void {
  const pages: readonly ConsolePage[] = [databasesPage(parts)]
  app.register(
    async scope => {
      scope.addHook('onRequest', async (_request, reply) => {
        reply.headers(HEADERS)
      })
      for (const page of pages)
        scope.get(page.path, async (request, reply) => {
          const content = await page.render(request)
          return reply.type('text/html; charset=utf-8').send(String(layout({ pages, page, content })))
        })
      for (const [name, { type, bytes }] of parts.assets)
        scope.get(`/assets/${name}`, async (_request, reply) => reply.type(type).send(bytes))
    },
    { prefix: CONSOLE_PATH },
  )
  const [first] = pages
  for (const path of ['/', CONSOLE_PATH])
    app.get(path, async (_request, reply) => reply.redirect(`${CONSOLE_PATH}${first?.path}`))
}
