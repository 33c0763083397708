import { execFile } from 'node:child_process'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { lookForProgram } from '../../../src/dev/postgres/programs.ts'

const PYTHON = '/usr/lib/python3/dist-packages'
const PYTHON_DRIVERS = ['psycopg2', 'psycopg', 'psycopg_pool', 'sqlalchemy', 'django', 'asyncpg', 'pymysql']
const JARS = ['postgresql', 'mariadb-java-client', 'HikariCP', 'slf4j-api']
const LIBRARIES = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`

/** What tests need on a machine: for each tool its programs, or paths of files, and the Debian packages that have them. */
const TOOLS = {
  postgres: { programs: ['postgres', 'initdb'], packages: ['postgresql'] },
  psql: { programs: ['psql'], packages: ['postgresql-client'] },
  mariadb: { programs: ['mariadbd', 'gcc'], packages: ['mariadb-server-core', 'gcc', 'libc6-dev'] },
  'mariadb-client': { programs: ['mariadb'], packages: ['mariadb-client-core'] },
  awscli: { programs: ['aws'], packages: ['awscli'] },
  'debian-awscli': { programs: ['/usr/bin/aws'], packages: ['awscli'] },
  faketime: { programs: ['faketime'], packages: ['faketime'] },
  wrk: { programs: ['wrk'], packages: ['wrk'] },
  'python-drivers': {
    programs: PYTHON_DRIVERS.map(name => `${PYTHON}/${name}/__init__.py`),
    packages: PYTHON_DRIVERS.map(name => `python3-${name.replace('_', '-')}`),
  },
  'java-drivers': {
    programs: JARS.map(name => `/usr/share/java/${name}.jar`),
    packages: ['libpostgresql-jdbc-java', 'libmariadb-java', 'libhikaricp-java'],
  },
  pgbouncer: { programs: ['pgbouncer'], packages: ['pgbouncer'] },
  chromium: { programs: ['chromium'], packages: ['chromium', 'fonts-dejavu-core'] },
  prometheus: { programs: ['promtool'], packages: ['prometheus'] },
  'libnss-wrapper': {
    programs: [`${LIBRARIES}/libnss_wrapper.so`],
    packages: ['libnss-wrapper'],
  },
} as const satisfies Record<string, { programs: readonly string[]; packages: readonly string[] }>

export type Tool = keyof typeof TOOLS

/** A tool that is not here, and why. */
export interface Missing {
  readonly tool: Tool
  readonly reason: string
}

/** Returns the tools that are not here. Installs nothing. */
export async function findMissing(tools: readonly Tool[]): Promise<Missing[]> {
  const missingPrograms = await Promise.all(tools.map(findMissingPrograms))
  return tools.flatMap((tool, index) => {
    const programs = missingPrograms[index] ?? []
    return programs.length > 0 ? [{ tool, reason: `${programs.join(' and ')} not found` }] : []
  })
}

/**
 * Installs missing tools from Debian's packages if this process is root and apt-get is there; returns those that are still
 * missing. Never rejects. May take minutes on a bare machine; does nothing if all tools are there.
 */
export async function ensureInstalled(tools: readonly Tool[]): Promise<Missing[]> {
  const missing = await findMissing(tools)
  if (missing.length === 0) return []
  const apt = process.getuid?.() === 0 ? await lookForProgram('apt-get') : undefined
  if (!apt) return missing.map(({ tool, reason }) => ({ tool, reason: `${reason}; ${advice(tool)}` }))

  await preventCluster().catch(() => {})
  // If the package lists cannot be updated, old ones may still do.
  await aptGet(apt, ['update']).catch(() => {})
  const failures: Missing[] = []
  for (const { tool } of missing) {
    const args = ['install', '-y', '--no-install-recommends', ...TOOLS[tool].packages]
    const reason = await aptGet(apt, args).then(
      () => 'its packages were installed, but it is still not found',
      (cause: Error) => `apt-get failed: ${cause.message.trim().split('\n').at(-1)}`,
    )
    if ((await findMissingPrograms(tool)).length > 0) failures.push({ tool, reason })
  }
  return failures
}

/**
 * Returns whether tests that need `tools` can run. If a tool is missing, says so on stderr and returns false; with CI=true it
 * always returns true, so that those tests fail instead of being skipped unseen.
 */
export async function canRun(tools: readonly Tool[]): Promise<boolean> {
  const missing = await findMissing(tools)
  if (missing.length === 0 || process.env.CI === 'true') return true
  const list = missing.map(({ tool, reason }) => `${tool} (${reason}; ${advice(tool)})`).join(', ')
  process.stderr.write(`\n!!! TESTS SKIPPED, missing: ${list}\n\n`)
  return false
}

/**
 * Returns whether a program, or a file by its path, is here that only some examples need; if not, says so on stderr. Ignores
 * CI=true.
 */
export async function hasProgram(name: string): Promise<boolean> {
  if (await isHere(name)) return true
  process.stderr.write(`\n!!! TESTS SKIPPED, missing: ${name}\n\n`)
  return false
}

async function findMissingPrograms(tool: Tool): Promise<string[]> {
  const found = await Promise.all(TOOLS[tool].programs.map(isHere))
  return TOOLS[tool].programs.filter((_, index) => !found[index])
}

async function isHere(program: string): Promise<boolean> {
  if (!program.startsWith('/')) return (await lookForProgram(program)) !== undefined
  return access(program).then(
    () => true,
    () => false,
  )
}

const advice = (tool: Tool) => `as root: apt-get install ${TOOLS[tool].packages.join(' ')}`

async function aptGet(apt: string, args: readonly string[]): Promise<void> {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold']
  await promisify(execFile)(apt, [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Keeps Debian's postgresql package from creating and starting a database of its own: tests need only the programs. */
async function preventCluster(): Promise<void> {
  const folder = '/etc/postgresql-common'
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/createcluster.conf`, 'create_main_cluster = false\n', { flag: 'wx' })
}
