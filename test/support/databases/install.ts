import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { lookForProgram } from './programs.ts'

/** What tests want of a machine: the programs that make it up and the Debian packages that bring them. */
const TOOLS = {
  postgres: { programs: ['postgres', 'initdb'], packages: ['postgresql'] },
  psql: { programs: ['psql'], packages: ['postgresql-client'] },
  mariadb: { programs: ['mariadbd', 'gcc'], packages: ['mariadb-server-core', 'gcc', 'libc6-dev'] },
  'mariadb-client': { programs: ['mariadb'], packages: ['mariadb-client-core'] },
  awscli: { programs: ['aws'], packages: ['awscli'] },
  faketime: { programs: ['faketime'], packages: ['faketime'] },
  wrk: { programs: ['wrk'], packages: ['wrk'] },
} as const satisfies Record<string, { programs: readonly string[]; packages: readonly string[] }>

export type Tool = keyof typeof TOOLS

/** A tool that cannot be had here, and why. */
export interface Missing {
  readonly tool: Tool
  readonly reason: string
}

/** The tools that are not here. Installs nothing. */
export async function missingHere(tools: readonly Tool[]): Promise<Missing[]> {
  const found = await Promise.all(tools.map(programsMissing))
  return tools.flatMap((tool, index) => {
    const programs = found[index] ?? []
    return programs.length > 0 ? [{ tool, reason: `${programs.join(' and ')} not found` }] : []
  })
}

/**
 * Installs what is missing of `tools` from Debian's packages where we are root and apt-get is there; gives what cannot be
 * had all the same. Never rejects. May take minutes on a bare machine; does nothing where all is there.
 */
export async function ensureInstalled(tools: readonly Tool[]): Promise<Missing[]> {
  const missing = await missingHere(tools)
  if (missing.length === 0) return []
  const apt = process.getuid?.() === 0 ? await lookForProgram('apt-get') : undefined
  if (!apt) return missing.map(({ tool, reason }) => ({ tool, reason: `${reason}; ${advice(tool)}` }))

  await keepClusterAway().catch(() => {})
  // Without the lists of today, those of yesterday may still do.
  await aptGet(apt, ['update']).catch(() => {})
  const failures: Missing[] = []
  for (const { tool } of missing) {
    const args = ['install', '-y', '--no-install-recommends', ...TOOLS[tool].packages]
    const why = await aptGet(apt, args).then(
      () => 'its packages were installed and it is still not found',
      (cause: Error) => `apt-get failed: ${cause.message.trim().split('\n').at(-1)}`,
    )
    if ((await programsMissing(tool)).length > 0) failures.push({ tool, reason: why })
  }
  return failures
}

/**
 * Whether tests that need `tools` are to run. Where a tool is missing it says so loudly on stderr and gives false; with
 * CI=true it gives true whatever is missing, so that those tests fail instead of passing unseen.
 */
export async function canRun(tools: readonly Tool[]): Promise<boolean> {
  const missing = await missingHere(tools)
  if (missing.length === 0 || process.env.CI === 'true') return true
  const list = missing.map(({ tool, reason }) => `${tool} (${reason}; ${advice(tool)})`).join(', ')
  process.stderr.write(`\n!!! TESTS DID NOT RUN for want of ${list}\n\n`)
  return false
}

async function programsMissing(tool: Tool): Promise<string[]> {
  const paths = await Promise.all(TOOLS[tool].programs.map(lookForProgram))
  return TOOLS[tool].programs.filter((_, index) => paths[index] === undefined)
}

const advice = (tool: Tool) => `as root: apt-get install ${TOOLS[tool].packages.join(' ')}`

async function aptGet(apt: string, args: readonly string[]): Promise<void> {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold']
  await promisify(execFile)(apt, [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Debian's postgresql would make and start a database of its own; tests want the programs alone. */
async function keepClusterAway(): Promise<void> {
  const folder = '/etc/postgresql-common'
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/createcluster.conf`, 'create_main_cluster = false\n', { flag: 'wx' })
}
