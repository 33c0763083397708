import { startBareServer } from './bare-server.ts'
import { cachedVendLoad, startBenchedService } from './benched-service.ts'
import { compareServers } from './compare-servers.ts'
import { findCores } from './cores.ts'
import { ensureWrk } from './load.ts'
import type { Plan } from './pairs.ts'

export interface CachedVendOptions {
  /** Where the record is. */
  readonly sink: 'file' | 'stdout'
  readonly connections: number
  /** The most server CPU that a cached vend may cost, as a multiple of a bare Fastify route. */
  readonly maxRatio: number
}

const MEDIA_TYPE = 'application/json; charset=utf-8'
const SINKS = { file: { type: 'file', path: 'audit.jsonl' }, stdout: { type: 'stdout' } }
const PLACES = { file: 'on disk', stdout: 'in a pipe that is read' }

/**
 * Returns a benchmark of a cached vend, with HTTP, the JWT and the record before the reply, beside a bare route that parses the
 * same request and answers as many bytes.
 */
export function cachedVend({ sink, connections, maxRatio }: CachedVendOptions) {
  return async (plan: Plan): Promise<void> => {
    await ensureWrk()
    const cores = await findCores()
    const service = await startBenchedService({
      cores,
      sections: { audit: [SINKS[sink]] },
      readsStdout: sink === 'stdout',
    })
    try {
      const { load, replyBody } = await cachedVendLoad(service)
      const bare = await startBareServer(
        { body: replyBody, mediaType: MEDIA_TYPE },
        { folder: service.environment.folder, cores },
      )
      try {
        await compareServers(
          {
            what: `a cached vend, its record ${PLACES[sink]}, over a bare Fastify route, ${connections} connections`,
            subject: { name: 'cached vend', pid: service.pid, load: async () => ({ ...load, connections }) },
            base: {
              name: 'bare',
              pid: bare.pid,
              load: async () => ({ ...load, connections, url: `${bare.url}/v1/tokens` }),
            },
            maxRatio,
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
