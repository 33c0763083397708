import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type BenchedService, cachedVendLoad, startBenchedService } from './benched-service.ts'
import { compareServers } from './compare-servers.ts'
import { findCores } from './cores.ts'
import { ensureWrk } from './load.ts'
import type { Plan } from './pairs.ts'

const TRACING = fileURLToPath(new URL('./tracing.mjs', import.meta.url))
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'

/** Compares cached vends of a server that has loaded OpenTelemetry with those of one that has not, for callers that trace. */
export function tracedVend({ isSampled }: { isSampled: boolean }): (plan: Plan) => Promise<void> {
  return async plan => {
    await ensureWrk()
    const cores = await findCores()
    // takes all spans and drops them
    const collector = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(200).end('{}'))
    })
    await once(collector.listen(0, '127.0.0.1'), 'listening')
    const started: BenchedService[] = []
    const sideOf = async (name: string, nodeOptions: string[]) => {
      const audit = [{ type: 'file', path: 'audit.jsonl' }]
      const { port } = collector.address() as AddressInfo
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
      const service = await startBenchedService({ cores, sections: { audit }, nodeOptions, env })
      started.push(service)
      const { load } = await cachedVendLoad(service)
      const headers = { ...load.headers, traceparent: `${TRACEPARENT}-${isSampled ? '01' : '00'}` }
      return { name, pid: service.pid, load: async () => ({ ...load, headers }) }
    }
    try {
      const subject = await sideOf('with OpenTelemetry', [`--import=${TRACING}`])
      const base = await sideOf('without', [])
      const what = `a cached vend of a ${isSampled ? '' : 'not '}sampled trace with OpenTelemetry, over one without`
      await compareServers({ what, subject, base }, { plan, cores })
    } finally {
      for (const service of started) await service.close()
      collector.closeAllConnections()
      collector.close()
    }
  }
}
