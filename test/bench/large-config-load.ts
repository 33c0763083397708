import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { CLI } from '../support/service/jeton.ts'
import { bundleScript } from './bundle-script.ts'
import { type Cores, findCores } from './cores.ts'
import { configOfSize, LARGE, SMALL } from './large-config.ts'
import type { Plan } from './pairs.ts'
import { median, reportCheck, reportFigure, withSpread } from './report.ts'

const RUNS = 9
/** The one promise in milliseconds: a start that takes longer is one that people wait for. */
const MAX_MS = 500
const CLAIMS = { sub: 'someone', repository_id: '5000', ref: 'refs/heads/main' }

/** Measures the load of a large configuration in new processes, and the commands `check` and `explain` of it and of a small one. */
export async function largeConfigLoad({ pairs = RUNS }: Plan): Promise<void> {
  const [cores, script] = [await findCores(), await bundleScript('load-config')]
  const folder = await mkdtemp(join(tmpdir(), 'large-config-'))
  try {
    const [large, small] = [configOfSize(LARGE), configOfSize(SMALL)]
    const path = (name: string) => join(folder, name)
    await writeFile(path('large.json'), JSON.stringify(large))
    await writeFile(path('small.json'), JSON.stringify(small))
    await writeFile(path('large.yaml'), stringify(large))
    await writeFile(path('claims.json'), JSON.stringify(CLAIMS))
    const run = nodeOn(cores, folder)

    for (const [format, file] of [
      ['JSON', 'large.json'],
      ['YAML', 'large.yaml'],
    ] as const) {
      const runs = await repeat(pairs, async () => JSON.parse(await run([script, path(file)])))
      const load: number[] = runs.map(({ loadMs }) => loadMs)
      const compile: number[] = runs.map(({ compileMs }) => compileMs)
      const total = load.map((ms, index) => ms + (compile[index] ?? 0))
      const what = `a configuration with ${describeSize()} in ${format}, loaded and compiled`
      const figure = `${withSpread(total, 0)} ms, ${median(compile).toFixed(0)} of them to compile`
      if (format === 'JSON')
        reportCheck(`${what} in at most ${MAX_MS} ms`, { isKept: median(total) <= MAX_MS, figure })
      else reportFigure(what, figure)
    }
    const explain = [
      'explain',
      '--claims',
      path('claims.json'),
      '--issuer',
      'ci-0',
      '--database',
      'database-0',
    ]
    for (const [command, args] of [
      ['check', ['check']],
      ['explain', explain],
    ] as const) {
      const times = { small: [] as number[], large: [] as number[] }
      for (let number = 0; number < pairs; number++)
        for (const size of ['small', 'large'] as const)
          times[size].push(await msOf(() => run([CLI, ...args, '--config', path(`${size}.json`)])))
      reportFigure(
        `  jeton ${command} of it`,
        `${withSpread(times.large, 0)} ms, with one grant ${withSpread(times.small, 0)}`,
      )
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function describeSize(): string {
  const { issuers, databases, grants } = LARGE
  return `${grants.toLocaleString('en')} grants, ${databases.toLocaleString('en')} databases and ${issuers} issuers`
}

/** Returns a function that runs Node on the server's core and returns its stdout. Throws unless the exit code is 0 or 3. */
function nodeOn({ server }: Cores, cwd: string) {
  return async (args: readonly string[]): Promise<string> => {
    const [program = '', ...rest] = [...server, process.execPath, ...args]
    const options = { cwd, maxBuffer: 1e9, env: { PATH: process.env.PATH } }
    try {
      return (await promisify(execFile)(program, rest, options)).stdout
    } catch (cause) {
      // no grant allows it, which `explain` then has printed
      if ((cause as { code?: unknown }).code === 3) return ''
      throw cause
    }
  }
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let number = 0; number < times; number++) results.push(await work())
  return results
}
