import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type DevServer, startDevServer } from '../support/service/dev-server.ts'

const ORDERS = 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'
const BILLING = 'billing.cluster-c9akciq32xyz.us-east-1.rds.amazonaws.com'

const CONFIG = {
  server: { host: '127.0.0.1', port: 8080, admin: { port: 0, console: true } },
  issuers: {
    ci: { issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' },
    staff: { issuer: 'https://login.acme.example', audience: 'jeton', tenancy: 'private' },
  },
  databases: {
    orders: database('orders', {
      host: ORDERS,
      resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      users: ['app_ro', 'migrator'],
    }),
    billing: database('billing', {
      host: BILLING,
      resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      users: ['report_ro', 'migrator'],
    }),
  },
  grants: [
    grant('orders-deploy', ci('shop', 'refs/heads/main'), 'orders', ['migrator']),
    grant('billing-deploy', ci('billing', 'refs/heads/main'), 'billing', ['migrator']),
    {
      ...grant('orders-on-call', { issuer: 'staff', claims: { groups: 'on-call' } }, 'orders', ['app_ro']),
      session: 'per-principal',
    },
    {
      ...grant('audit-2026', { issuer: 'staff', claims: { groups: 'auditors' } }, 'billing', ['report_ro']),
      notAfter: '2099-12-31T00:00:00Z',
    },
  ],
}

function database(name: string, parts: object) {
  return { engine: 'postgres', roleArn: `arn:aws:iam::123456789012:role/jeton-${name}`, ...parts }
}

function grant(name: string, principal: object, database: string, users: readonly string[]) {
  return { name, principal, database, users }
}

function ci(repository: string, ref: string) {
  return {
    issuer: 'ci',
    claims: { repository_id: `${repository.length}001`, repository: `acme/${repository}`, ref },
  }
}

/** So many who are on call ask at once, second by second. */
const CROWDS = [2, 0, 5, 12, 3, 0, 1, 7, 26, 0, 4, 1]

export interface Scene {
  readonly server: DevServer
  /** A token that was vended. */
  readonly token: string
}

/** Starts a server with stand-ins in a folder, and has it vend and refuse what the pictures show. */
export async function startScene(folder: string): Promise<Scene> {
  const file = join(folder, 'jeton.json')
  await writeFile(file, JSON.stringify(CONFIG))
  const server = await startDevServer({ args: ['--config', file], cwd: folder })
  const jwtOf = async (issuer: string, claims: object) => `Bearer ${await server.jwtOf(issuer, claims)}`
  const shop = (claims: object = {}) =>
    jwtOf('ci', {
      ...ci('shop', 'refs/heads/main').claims,
      sub: 'repo:acme/shop:ref:refs/heads/main',
      ...claims,
    })

  let number = 0
  for (const count of CROWDS) {
    const people = Array.from({ length: count }, () => `engineer-${++number}`)
    const asked = people.map(async sub =>
      server.requestToken(await jwtOf('staff', { sub, groups: 'on-call' }), {
        database: 'orders',
        user: 'app_ro',
      }),
    )
    await Promise.all([...asked, pause(1000)])
  }
  await server.requestToken(
    await shop({ ref: 'refs/heads/feature', sub: 'repo:acme/shop:ref:refs/heads/feature' }),
    {
      database: 'orders',
      user: 'migrator',
    },
  )
  for (const user of ['root', 'root']) await server.requestToken(await shop(), { database: 'orders', user })
  await server.requestToken('Bearer expired', { database: 'orders', user: 'migrator' })
  const billing = { ...ci('billing', 'refs/heads/main').claims, sub: 'repo:acme/billing:ref:refs/heads/main' }
  await server.requestToken(await jwtOf('ci', billing), { database: 'billing', user: 'migrator' })
  for (let count = 0; count < 3; count++) {
    const { body } = await server.requestToken(await shop(), { database: 'orders', user: 'migrator' })
    if (count === 2) return { server, token: String(body.token) }
  }
  throw new Error('no token was vended')
}
