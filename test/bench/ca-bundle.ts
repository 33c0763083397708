import { startBareServer } from './bare-server.ts'
import { startBenchedService } from './benched-service.ts'
import { compareServers } from './compare-servers.ts'
import { findCores } from './cores.ts'
import { ensureWrk, type Load } from './load.ts'
import type { Plan } from './pairs.ts'

/** The most server CPU that a CA bundle may cost, as a multiple of a bare Fastify route that sends the same bytes. */
const MAX_RATIO = 1.5

/** Returns a benchmark of `GET /v1/ca/NAME.pem` beside a bare route that sends the same bytes. */
export function caBundle(name: string) {
  return async (plan: Plan): Promise<void> => {
    await ensureWrk()
    const cores = await findCores()
    const service = await startBenchedService({ cores })
    try {
      const path = `/v1/ca/${name}.pem`
      const reply = await fetch(service.jeton.url + path)
      const body = await reply.text()
      const bare = await startBareServer(
        { body, mediaType: reply.headers.get('content-type') ?? '' },
        { folder: service.environment.folder, cores },
      )
      try {
        const bytes = Buffer.byteLength(body)
        const loadOf = (url: string) => async (): Promise<Load> => ({
          url: url + path,
          method: 'GET',
          expected: body.slice(0, 200),
          bytes,
        })
        await compareServers(
          {
            what: `GET ${path} (${bytes.toLocaleString('en')} bytes) over a bare Fastify route`,
            subject: { name: `${name}.pem`, pid: service.pid, load: loadOf(service.jeton.url) },
            base: { name: 'bare', pid: bare.pid, load: loadOf(bare.url) },
            maxRatio: MAX_RATIO,
          },
          { plan, cores },
        )
      } finally {
        await bare.close()
      }
    } finally {
      await service.close()
    }
  }
}
