import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ShiftedClock, shiftClock } from '../../support/clock/shifted-clock.ts'
import { canRun } from '../../support/databases/install.ts'
import { exampleIn } from '../../support/markdown.ts'
import { libpqEnv } from '../../support/proxy/libpq.ts'
import { startProxy } from '../../support/proxy/proxy-process.ts'
import { run } from '../../support/run.ts'
import { type LoginService, startLoginService } from '../../support/service/login-service.ts'
import { installRecipes, RECIPES } from './install.ts'
import { type RecipeProcess, startRecipe } from './recipe-process.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SQL = 'select current_user as name'
const LATER_MS = 16 * 60_000
const MARIADB_SQL = "select substring_index(current_user(), '@', 1) as name"

interface Recipe {
  page: string
  examples: readonly string[]
  query: string
  database?: 'orders' | 'ledger'
  /** Whose packages it uses: those of the recipes, or jeton's own. */
  cwd?: string
  /** It logs in once, or not at all. */
  isOneConnection?: boolean
}

const RECIPE_LIST: readonly Recipe[] = [
  { page: 'node', examples: ['get'], query: 'user', cwd: ROOT, isOneConnection: true },
  { page: 'pg', examples: ['pool'], query: `pool.query('${SQL}').then(({ rows }) => rows[0].name)` },
  {
    page: 'pg',
    examples: ['pool', 'log-in'],
    query: `Promise.resolve(rows[0].name)`,
    isOneConnection: true,
  },
  { page: 'postgres-js', examples: ['pool'], query: `sql\`${SQL}\`.then(([row]) => row.name)` },
  { page: 'knex', examples: ['pool'], query: `knex.raw('${SQL}').then(({ rows }) => rows[0].name)` },
  { page: 'drizzle', examples: ['pool'], query: `db.execute('${SQL}').then(({ rows }) => rows[0].name)` },
  {
    page: 'kysely',
    examples: ['pool'],
    query: `db.executeQuery({ sql: '${SQL}', parameters: [], query: {} }).then(({ rows }) => rows[0].name)`,
  },
  { page: 'typeorm', examples: ['pool'], query: `dataSource.query('${SQL}').then(([row]) => row.name)` },
  {
    page: 'sequelize',
    examples: ['pool'],
    query: `sequelize.query('${SQL}', { logging: false }).then(([[row]]) => row.name)`,
  },
  {
    page: 'prisma',
    examples: ['adapter'],
    query: `adapter.connect()
      .then(connection => connection.queryRaw({ sql: '${SQL}', args: [], argTypes: [] }).finally(() => connection.dispose()))
      .then(({ rows }) => rows[0][0])`,
  },
  {
    page: 'mysql2',
    examples: ['pool'],
    query: `pool.query("${MARIADB_SQL}").then(([[row]]) => row.name)`,
    database: 'ledger',
    cwd: ROOT,
  },
  {
    page: 'mariadb',
    examples: ['pool'],
    query: `pool.query("${MARIADB_SQL}").then(([row]) => row.name)`,
    database: 'ledger',
    cwd: ROOT,
  },
  {
    page: 'mariadb',
    examples: ['pool', 'connection'],
    query: `connection.query("${MARIADB_SQL}").then(([row]) => row.name)`,
    isOneConnection: true,
    database: 'ledger',
    cwd: ROOT,
  },
]

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const COMPILER_OPTIONS = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  // these are jeton's own
  paths: Object.fromEntries(
    ['mysql2/promise', 'mariadb'].map(name => [name, [join(ROOT, 'node_modules', name)]]),
  ),
}

const TITLED = RECIPE_LIST.map(
  recipe => [`${recipe.page}.md: ${recipe.examples.join(', ')}`, recipe] as const,
)

const canLogIn = (await canRun(['postgres', 'mariadb'])) && (await installRecipes())

describe.runIf(canLogIn)('the recipe', () => {
  let service: LoginService
  let clock: ShiftedClock
  let recipe: RecipeProcess | undefined

  beforeAll(async () => {
    clock = shiftClock()
    service = await startLoginService()
  })
  afterAll(async () => {
    await recipe?.end()
    await service?.close()
    clock?.restore()
    vi.unstubAllEnvs()
  })

  test.each(TITLED)('of docs/connect/%s logs in, and again after 15 minutes', async (_, options) => {
    const { page, examples, query, database = 'orders', cwd = RECIPES, isOneConnection = false } = options
    const real = database === 'orders' ? service.postgres : service.mariadb
    const before = { logins: real.logins.length, requests: service.requests.length }
    const text = await readFile(new URL(`../../../docs/connect/${page}.md`, import.meta.url), 'utf8')
    recipe = await startRecipe({
      text: examples.map(name => exampleIn(text, name)).join('\n'),
      query,
      cwd,
      env: { JETON_URL: service.url, JETON_API_KEY: service.apiKey },
    })
    expect(await recipe.ask()).toBe('app_rw')
    const logins = () => real.logins.slice(before.logins)
    const requests = () => service.requests.slice(before.requests)
    expect(requests()).toHaveLength(1)
    if (!isOneConnection) {
      const first = logins().length
      // that of the recipe first: its pool may log in again by itself
      await recipe.advance(LATER_MS)
      clock.advance(LATER_MS)
      await endConnections(database)
      expect(await recipe.ask()).toBe('app_rw')
      expect(logins().length).toBeGreaterThan(first)
      expect(requests()).toHaveLength(2)
    }
    await recipe.end()
    expect(logins().filter(({ result }) => !result.ok)).toEqual([])
  })

  test('of each page compiles in strict TypeScript', async () => {
    const folder = await mkdtemp(`${RECIPES}node_modules/.types-`)
    onTestFinished(() => rm(folder, { recursive: true }))
    const files = new Map<string, string>()
    for (const { page, examples } of RECIPE_LIST) {
      const text = await readFile(new URL(`../../../docs/connect/${page}.md`, import.meta.url), 'utf8')
      files.set(`${page}.mts`, examples.map(name => exampleIn(text, name)).join('\n'))
    }
    for (const [name, text] of files) await writeFile(join(folder, name), text)
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: [...files.keys()] }),
    )
    const { code, stdout } = await run(process.execPath, [TSC, '-p', folder])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  })

  test('of no page, as postgres.js is without a token, logs in through jeton proxy', async () => {
    const proxy = await startProxy({ front: service, apiKey: service.apiKey, databases: ['orders'] })
    onTestFinished(() => proxy.close())
    const client = new URL('../../support/proxy/proxy-client.mjs', import.meta.url)
    const ran = await promisify(execFile)(process.execPath, [fileURLToPath(client)], {
      cwd: RECIPES,
      env: { PATH: process.env.PATH, ...libpqEnv(proxy.endpoint('orders')) },
    })
    expect(ran).toEqual({ stdout: 'app_rw\n55\nheard\n10\n57014\n', stderr: '' })
  })

  /** Ends every connection of the database's users, as a failover does. */
  async function endConnections(database: 'orders' | 'ledger') {
    if (database === 'ledger') return service.mariadb.restart()
    await service.postgres.admin(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_rw'",
    )
  }
})
