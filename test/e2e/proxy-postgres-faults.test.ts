import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { eventually } from '../support/proxy/eventually.ts'
import {
  askFor,
  type FakeBehavior,
  type FakePostgres,
  LET_IN,
  refuseWith,
  startFakePostgres,
} from '../support/proxy/fake-postgres.ts'
import { libpqEnv, logInWithPsql } from '../support/proxy/libpq.ts'
import { type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type ProxyService, type ServedDatabase, startProxyService } from '../support/proxy/proxy-service.ts'
import { cancelRequestOf, connectRaw, fieldsOf, queryOf, startupOf } from '../support/proxy/raw-postgres.ts'
import { run } from '../support/run.ts'
import type { JetonFront } from '../support/service/jeton-front.ts'
import { startTcpForwarder } from '../support/tcp-forwarder.ts'

/** Servers in the place of the database that are none, or are not the right one. */
const SALT = Buffer.from([1, 2, 3, 4])
const SCRAM = Buffer.from('SCRAM-SHA-256\0\0')
const otherAuthority = createAuthority('another')

interface Fault {
  readonly behavior: FakeBehavior
  /** What psql prints after `psql: error: connection to server on socket "…" failed: FATAL:  `. */
  readonly sentence: string
  /** Whether the server came so far that it may have the token: it is the database. */
  readonly hasToken?: boolean
}

const NO_DATABASE = 'PLACE is no database of this kind, or something in between'
const UNTRUSTED =
  'so no token was sent: the CA certificates are those of jeton’s reply, unless --ca names others'
const NOT_IAM =
  'the user is not in rds_iam or does not exist; behind an RDS proxy: IAM is not required of clients there; ' +
  'create the account, with rds_iam, as `jeton sql DATABASE` prints it; or `GRANT rds_iam TO "USER"`'

const FAULTS: Readonly<Record<string, Fault>> = {
  'without-tls': {
    behavior: { answer: 'N' },
    sentence: 'jeton proxy: PLACE refuses TLS, and no token is sent without it: is that the database?',
  },
  'not-postgres': {
    behavior: { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
    sentence: `jeton proxy: what answers there does not speak PostgreSQL: ${NO_DATABASE}`,
  },
  'more-than-an-answer': {
    behavior: { answer: Buffer.concat([Buffer.from('S'), askFor(3)]) },
    sentence: `jeton proxy: the server sent more than its answer before TLS: ${NO_DATABASE}`,
  },
  // anybody on the way could say so: CVE-2024-10977
  'an-error-before-tls': {
    behavior: { answer: refuseWith('53300', 'call 555-0100 for your password') },
    sentence: `jeton proxy: the server answered the request for TLS with an error: ${NO_DATABASE}`,
  },
  'wrong-name': {
    behavior: { name: 'other.c9akciq32xyz.us-east-1.rds.amazonaws.com' },
    sentence: `jeton proxy: the certificate of PLACE is not for ${ORDERS.host} (ERR_TLS_CERT_ALTNAME_INVALID), so no token was sent: does that address lead to another server?`,
  },
  'wrong-ca': {
    behavior: { authority: otherAuthority },
    sentence: `jeton proxy: the certificate of PLACE does not verify (UNABLE_TO_VERIFY_LEAF_SIGNATURE), ${UNTRUSTED}`,
  },
  md5: {
    behavior: { toStartup: askFor(5, SALT) },
    sentence: `jeton proxy: the server asks for an MD5 password and not for a token: ${NOT_IAM}`,
  },
  scram: {
    behavior: { toStartup: askFor(10, SCRAM) },
    sentence: `jeton proxy: the server asks for a SCRAM password and not for a token: ${NOT_IAM}`,
  },
  kerberos: {
    behavior: { toStartup: askFor(7) },
    sentence: `jeton proxy: the server asks for GSSAPI and not for a token: ${NOT_IAM}`,
  },
  'no-such-user': {
    behavior: { toStartup: refuseWith('28000', 'role "app_rw" does not exist') },
    sentence: 'role "app_rw" does not exist',
  },
  'always-refuses': {
    behavior: {
      toPassword: () => refuseWith('28000', 'PAM authentication failed for user "app_rw"'),
    },
    sentence: 'PAM authentication failed for user "app_rw"',
    hasToken: true,
  },
}

describe.runIf(await canRun(['postgres', 'psql', 'libnss-wrapper']))('jeton proxy', () => {
  let service: ProxyService
  let front: JetonFront
  let proxy: ProxyProcess
  const fakes = new Map<string, FakePostgres>()
  let closedPort: number
  /** Names two addresses for one host. */
  let hosts: string

  beforeAll(async () => {
    const authority = createAuthority()
    const parts = { host: ORDERS.host, authority }
    const behaviors: Record<string, FakeBehavior> = {
      ...Object.fromEntries(Object.entries(FAULTS).map(([name, { behavior }]) => [name, behavior])),
      silent: { answer: '', isSilentAfter: true },
      'silent-in-tls': { isSilentAfter: true },
      throttles: {
        toPassword: attempt =>
          attempt === 1
            ? refuseWith('28000', 'The IAM authentication failed because of too many competing requests.')
            : LET_IN,
      },
    }
    for (const [name, behavior] of Object.entries(behaviors))
      fakes.set(name, await startFakePostgres(parts, behavior))
    const served = [...fakes].map(([name, { port }]): [string, ServedDatabase] => [
      name,
      { connect: { host: '127.0.0.1', port } },
    ])
    const gone = await startFakePostgres(parts, {})
    await gone.close()
    closedPort = gone.port
    service = await startProxyService({
      engine: 'postgres',
      authority,
      databases: {
        orders: {},
        down: { connect: { host: '127.0.0.1', port: closedPort } },
        ...Object.fromEntries(served),
      },
    })
    hosts = join(await mkdtemp(join(tmpdir(), 'hosts-')), 'hosts')
    await writeFile(hosts, '127.0.0.2 several.test\n127.0.0.3 several.test\n')
    front = await service.startFront()
    proxy = await startProxy({
      front,
      apiKey: service.apiKey,
      env: { JETON_LOG_LEVEL: 'debug' },
      args: ['--wait', '2'],
      databases: [
        'orders',
        'down:5001',
        ...[...fakes.keys()].map((name, index) => `${name}:${5100 + index}`),
      ],
    })
  })
  afterAll(async () => {
    await proxy?.close()
    await service?.close()
    await Promise.all([...fakes.values()].map(fake => fake.close()))
    vi.unstubAllEnvs()
  })

  const psql = (database: string) => logInWithPsql(proxy.endpoint(database))
  const expectNothingSecret = (text: string) => {
    expect(front.tokens.size).toBeGreaterThan(0)
    for (const token of front.tokens) expect(text).not.toContain(token.slice(-64))
    expect(text).not.toContain('X-Amz-')
  }

  describe.concurrent('tells its client, where the server', () => {
    test.each(Object.entries(FAULTS))(
      'is %s, why there is no login, and the server nothing secret',
      async (name, fault) => {
        const fake = fakes.get(name)
        const sentence = fault.sentence.replace('PLACE', `127.0.0.1:${fake?.port}`)
        expect(await psql(name)).toBe(`FATAL:  ${sentence}`)
        if (fault.hasToken) expect(fake?.received()).toContain('X-Amz-Signature')
        else expectNothingSecret(fake?.received() ?? '')
      },
    )

    test('does not listen', async () => {
      expect(await psql('down')).toBe(
        `FATAL:  jeton proxy: no session with 127.0.0.1:${closedPort}: no connection (ECONNREFUSED); try again in a moment`,
      )
      const client = await connectRaw(proxy.endpoint('down'))
      client.send(startupOf())
      expect(fieldsOf(await client.takeMessage())).toMatchObject({ S: 'FATAL', C: '57P03' })
    })
  })

  test.each([
    ['down', 1, 'goes on to the next', 'rejecting connections'],
    ['wrong-ca', 0, 'shows the sentence', 'accepting connections'],
  ])('as of %s: pg_isready returns %i, and libpq with several hosts %s', async (name, code, then, words) => {
    const [first, next] = [libpqEnv(proxy.endpoint(name)), libpqEnv(proxy.endpoint('orders'))]
    const ready = await run('pg_isready', [], { env: first })
    expect(ready.code).toBe(code)
    expect(ready.stdout).toContain(words)
    const both = { PGHOST: `${first.PGHOST},${next.PGHOST}`, PGPORT: `${first.PGPORT},${next.PGPORT}` }
    const env = { ...next, ...both, PGTARGETSESSIONATTRS: 'read-write' }
    const { stdout } = await run('psql', ['-X', '-Atc', 'select current_user'], { env })
    expect(stdout).toBe(then === 'goes on to the next' ? 'app_rw\n' : '')
  })

  test('waits where RDS throttles logins, and tries again with the same token', async () => {
    const asked = front.requests.length
    const client = await connectRaw(proxy.endpoint('throttles'))
    client.send(startupOf())
    await client.takeUntil('Z')
    client.socket.destroy()
    const passwords = fakes
      .get('throttles')
      ?.received()
      .match(/X-Amz-Signature=[0-9a-f]+/g)
    expect(passwords).toHaveLength(2)
    expect(new Set(passwords).size).toBe(1)
    expect(front.requests.length).toBe(asked)
  })

  test('reports a token that a database refuses for all its clients together, and not for each', async () => {
    const reports = () =>
      front.requests.filter(({ body }) => body.database === 'always-refuses' && body.refused !== undefined)
    expect(reports().length).toBeGreaterThan(0)
    const before = reports().length
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const client = await connectRaw(proxy.endpoint('always-refuses'))
        client.send(startupOf())
        return fieldsOf(await client.takeMessage()).M
      }),
    )
    expect(new Set(answers)).toEqual(new Set(['PAM authentication failed for user "app_rw"']))
    // of one that says when to come back, jeton may be asked once more then
    expect(reports().length - before).toBeLessThanOrEqual(3)
  })

  test.each(['silent', 'silent-in-tls'])('serves others while a server is %s', async name => {
    const fake = fakes.get(name)
    const client = await connectRaw(proxy.endpoint(name))
    client.send(startupOf())
    await eventually(() => (fake?.received().length ?? 0) > 0, true)
    expect(await psql('orders')).toBe('app_rw')
    client.socket.destroy()
    expectNothingSecret(fake?.received() ?? '')
  })

  test('goes to the next address of a name, and cancels at that of the session', async () => {
    const ownFront = await service.startFront()
    const used = await startTcpForwarder(service.real.port, { host: '127.0.0.3' })
    ownFront.connect = `several.test:${used.port}`
    const own = await startProxy({
      front: ownFront,
      apiKey: service.apiKey,
      databases: ['orders'],
      env: { LD_PRELOAD: 'libnss_wrapper.so', NSS_WRAPPER_HOSTS: hosts },
    })
    const client = await connectRaw(own.endpoint('orders'))
    client.send(startupOf())
    const keyData = (await client.takeUntil('Z')).find(({ type }) => type === 'K')?.body
    client.send(queryOf("select 'elsewhere', pg_sleep(60)"))
    const sql = "select wait_event from pg_stat_activity where query ~ '^select .elsewhere'"
    await eventually(() => service.real.admin(sql), [{ wait_event: 'PgSleep' }])

    // now there is another instance at the first address
    const first = await startTcpForwarder(service.real.port, { host: '127.0.0.2', port: used.port })
    const before = used.connections
    const canceller = await connectRaw(own.endpoint('orders'))
    canceller.send(cancelRequestOf(keyData ?? Buffer.alloc(0)))
    await canceller.takeRest()
    const error = (await client.takeUntil('Z')).find(({ type }) => type === 'E')
    expect(error && fieldsOf(error)).toMatchObject({ C: '57014' })
    expect([first.connections, used.connections - before]).toEqual([0, 1])
    client.socket.destroy()

    expect(await logInWithPsql(own.endpoint('orders'))).toBe('app_rw')
    expect(first.connections).toBe(1)
    await Promise.all([own.close(), first.close(), used.close()])
  })

  test('prints nothing secret at the level of debug', () => {
    expectNothingSecret([...proxy.stdout, ...proxy.stderr].join('\n'))
  })
})
