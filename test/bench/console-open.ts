import { type BenchedService, cachedVendLoad, startBenchedService } from './benched-service.ts'
import { compareServers } from './compare-servers.ts'
import { findCores } from './cores.ts'
import { ensureWrk } from './load.ts'
import type { Plan } from './pairs.ts'
import { median, reportFigure } from './report.ts'
import { watchConsole } from './watch-console.ts'

/** Measurements of one server against another like it differ by as much. */
const MAX_RATIO = 1.05

/**
 * Compares cached vends of a server while an operator has every live page of its console open, each in a window of its own,
 * with those of a server without a console.
 */
export async function consoleOpen(plan: Plan): Promise<void> {
  await ensureWrk()
  const cores = await findCores()
  const started: BenchedService[] = []
  const start = async (admin: object) => {
    const audit = [{ type: 'file', path: 'audit.jsonl' }]
    const service = await startBenchedService({ cores, sections: { server: { admin }, audit } })
    started.push(service)
    return service
  }
  try {
    const watched = await start({ port: 0, console: true })
    const bare = await start({ port: 0 })
    const sides = {
      subject: await sideOf('console open', watched),
      base: await sideOf('no console', bare),
    }
    const watch = watchConsole(watched.jeton)
    try {
      const what = 'a cached vend with the console open in three windows, over one without a console'
      await compareServers({ what, ...sides, maxRatio: MAX_RATIO }, { plan, cores })
    } finally {
      for (const { path, tookMs, bytes } of await watch.stop())
        reportFigure(`  ${path}`, `${tookMs.length} times, ${median(tookMs).toFixed(0)} ms, ${bytes} bytes`)
    }
  } finally {
    for (const service of started) await service.close()
  }
}

async function sideOf(name: string, service: BenchedService) {
  const { load } = await cachedVendLoad(service)
  return { name, pid: service.pid, load: async () => load }
}
