import { createConnection } from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority } from '../../../../src/dev/postgres/certificate-authority.ts'
import { startMysqlImpostor, startPlainMysqlImpostor } from '../../library/impostors.ts'
import { TOKEN } from './fake-session.ts'
import { startLocalProxy } from './local-proxy.ts'

const authority = createAuthority()

/** What a client is told by a proxy whose database is at this port. */
async function logIn(port: number): Promise<unknown> {
  const vend = () => ({ ...TOKEN, connect: `127.0.0.1:${port}`, ca: { pem: authority.caPem } })
  const proxy = await startLocalProxy({ vend })
  onTestFinished(() => proxy.close())
  return createConnection({ socketPath: proxy.path, user: 'x', password: 'any' }).catch(cause => cause)
}

test('whoever offers no TLS gets nothing at all', async () => {
  const impostor = await startPlainMysqlImpostor()
  expect(await logIn(impostor.port)).toMatchObject({
    errno: 1045,
    sqlState: '28000',
    message: `jeton proxy: 127.0.0.1:${impostor.port} refuses TLS, and no token is sent without it: is that the database?`,
  })
  expect(impostor.received()).toBe('')
})

test.each([
  ['another CA', createAuthority().issue([TOKEN.host]), 'does not verify (UNABLE_TO_VERIFY_LEAF_SIGNATURE)'],
  [
    'another name',
    authority.issue(['other.example.com']),
    `is not for ${TOKEN.host} (ERR_TLS_CERT_ALTNAME_INVALID)`,
  ],
])('whoever has a certificate of %s gets nothing within TLS', async (_name, identity, problem) => {
  const impostor = await startMysqlImpostor(identity)
  expect(await logIn(impostor.port)).toMatchObject({
    errno: 1045,
    message: expect.stringContaining(
      `jeton proxy: the certificate of 127.0.0.1:${impostor.port} ${problem}, so no token was sent`,
    ),
  })
  expect(impostor.received()).toBe('')
})

test('the same impostor gets the token if its certificate is the database’s: the two tests before this one can fail', async () => {
  const impostor = await startMysqlImpostor(authority.issue([TOKEN.host]))
  void logIn(impostor.port)
  await expect.poll(impostor.received).toContain(TOKEN.token)
})
