import type { Writable } from 'node:stream'
import { Server as TlsServer } from 'node:tls'
import type { Registry } from 'prom-client'
import { atMost } from './at-most.ts'
import { createJournal, type Journal } from './audit/journal.ts'
import { openSinks } from './audit/sinks/registry.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/config.ts'
import { compileRules } from './config/rules.ts'
import { createCaBundles } from './databases/ca.ts'
import { createHealth } from './health.ts'
import { type AppOptions, createApp } from './http/app.ts'
import type { App } from './http/types.ts'
import type { Log } from './log.ts'
import { createLooseEnds } from './loose-ends.ts'
import { NO_METRICS } from './no-metrics.ts'
import { createKeySets } from './principals/key-sets.ts'
import { openShelves } from './shelf/registry.ts'
import { stsAssumer } from './tokens/assume.ts'
import { createBook } from './tokens/book.ts'
import { createPace } from './tokens/pace.ts'
import { rememberFailures } from './tokens/role-memory.ts'
import { signToken } from './tokens/sign.ts'
import { createTrails } from './trail.ts'
import { createVend } from './vend.ts'

/** How long what requests have left behind may hold up an end, or a freeze: it may hang as long as AWS does. */
const SETTLE_MS = 2000

export interface World {
  log: Log
  /** Where the audit log goes that is called stdout. */
  stdout: Writable
  /** Which of several servers this is, in records. */
  instance: string
  /** Where metrics are kept; without it none are. */
  registry?: Registry
  /** How callers reach it, where that is not what the configuration's `server` says. */
  http?: AppOptions
  /** How long a caller waits for the turn of a new token, in milliseconds; 5 s unless given. */
  turnWaitMs?: number
}

/** All of jeton, put together and ready to listen. */
export interface Service {
  readonly app: App
  readonly journal: Journal
  readonly clock: Clock
  /** Goes on with another configuration: its issuers, keys, databases, grants and certificate; ports and logs stay. */
  reload(config: Config): void
  /**
   * Resolves when all is done that requests have left behind, records of refusals included, or has had 2 s for it: for who
   * freezes between requests.
   */
  settled(): Promise<void>
  /** Finishes what is in flight and closes the logs. */
  close(): Promise<void>
}

/**
 * The only place where parts meet. Rejects where an audit log cannot be opened; a store that is away is no reason.
 * Clock, shelf, journal, book and discovered keys live on through a reload; the rules are compiled anew.
 */
export async function compose(config: Config, world: World): Promise<Service> {
  const { log, stdout, instance, registry, turnWaitMs, http = config.server } = world
  const health = createHealth()
  const metrics = registry ? (await import('./metrics.ts')).createMetrics({ health, registry }) : NO_METRICS
  const clock = systemClock({
    onCorrected(offsetMs) {
      log.warn(
        { event: 'clock_corrected', offsetMs },
        "the machine's clock is wrong; corrected by what AWS says the time is",
      )
      metrics.clockCorrected(offsetMs)
    },
  })

  const timer = systemClock()
  const sinks = await openSinks(config.audit, { clock, timer, log, stdout })
  const journal = createJournal({ sinks, clock, timer, health, log, metrics, instance })
  const shelves = await openShelves(config.store, { clock, health, log, metrics })
  const looseEnds = createLooseEnds()
  const shared = { shelf: shelves.open, clock, log, looseEnds, random: Math.random }
  const book = createBook({
    ...shared,
    shelf: shelves.sealed,
    pace: createPace(shared),
    roles: rememberFailures(stsAssumer({ clock, health, log }), shared),
    sign: signToken,
    turnWaitMs,
    onMinted: ({ database }) => metrics.minted(database.name),
  })

  const keySets = createKeySets({ clock, log, health, looseEnds, fetch: globalThis.fetch })
  let rules = compileRules(config, { clock, keysOf: keySets.of })
  let roles = rolesOf(config)
  const app = await createApp(
    {
      rules: () => rules,
      vend: createVend(book),
      caBundles: createCaBundles(clock),
      health,
      clock,
      log,
      beginTrail: createTrails({ journal, clock, instance, onEnded: metrics.decided }),
      onAnswered: metrics.answered,
    },
    http,
  )
  return {
    app,
    journal,
    clock,
    reload(changed) {
      rules = compileRules(changed, { clock, keysOf: keySets.of })
      keySets.retain(changed.issuers)
      const rolesNow = rolesOf(changed)
      for (const role of roles) if (!rolesNow.has(role)) health.report('sts', { ok: true, of: role })
      roles = rolesNow
      renewCertificate(app, changed.server.tls)
    },
    settled: () => atMost(SETTLE_MS, Promise.all([looseEnds.settled(), journal.settled()]), clock),
    async close() {
      await drain(app)
      await atMost(SETTLE_MS, looseEnds.settled(), clock)
      await journal.close()
    },
  }
}

const rolesOf = ({ databases }: Config) => new Set(databases.map(({ roleArn }) => roleArn))

function renewCertificate(app: App, tls: Config['server']['tls']): void {
  if (tls && app.server instanceof TlsServer) app.server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' })
}

/** Closes the server; connections that keep alive after their last answer would hold it up for a minute. */
async function drain(app: App): Promise<void> {
  const closing = setInterval(() => app.server.closeIdleConnections(), 50)
  await app.close().finally(() => clearInterval(closing))
}
