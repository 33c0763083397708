import { loadConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'

/** Loads, checks and compiles the configuration that the argument names, once, as a start does, and prints its milliseconds. */
const startedAt = performance.now()
const config = await loadConfig(process.argv[2] ?? '', { purpose: 'start' })
const loadedAt = performance.now()
compileAccessPolicy(config, { clock: systemClock(), keysOf: () => ({ version: 0 }) as never })
const compiledAt = performance.now()
process.stdout.write(JSON.stringify({ loadMs: loadedAt - startedAt, compileMs: compiledAt - loadedAt }))
