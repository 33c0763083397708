import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { type Authority, createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { lookForProgram } from '../../../src/dev/postgres/programs.ts'
import { createPrivateFolder } from '../../../src/dev/private-folder.ts'
import { run } from '../../support/run.ts'

const openssl = await lookForProgram('openssl')
const HOST = 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'

/** Does a real TLS handshake; rejects if the client does not trust the server's certificate. */
async function handshake(options: {
  from: Authority
  names: string[]
  serverName: string
  trusts: Authority
  expiresAt?: number
}): Promise<void> {
  const { certPem, keyPem } = options.from.issue(
    options.names,
    options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt },
  )
  const server = createServer({ cert: certPem, key: keyPem }).on('tlsClientError', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: options.serverName,
    ca: options.trusts.caPem,
  })
  try {
    await once(socket, 'secureConnect')
  } finally {
    socket.destroy()
    server.close()
  }
}

describe('a certificate of createAuthority', () => {
  const authority = createAuthority()
  const good = { from: authority, trusts: authority, names: [HOST, '127.0.0.1', 'localhost'] }

  test.each([HOST, 'localhost'])('is trusted for %s', async serverName => {
    await expect(handshake({ ...good, serverName })).resolves.toBeUndefined()
  })
  test('is valid for its IP address and for no other', () => {
    const certificate = new X509Certificate(authority.issue(['127.0.0.1']).certPem)
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('127.0.0.2')).toBeUndefined()
  })
  test('is refused for another name', async () => {
    await expect(handshake({ ...good, serverName: `x${HOST}` })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })
  test('is refused by clients that trust another authority, even of the same name', async () => {
    const twins = { from: createAuthority('twin'), trusts: createAuthority('twin') }
    await expect(handshake({ ...good, ...twins, serverName: HOST })).rejects.toThrow()
  })
  test('is refused once it has expired', async () => {
    await expect(
      handshake({ ...good, serverName: HOST, expiresAt: Date.now() - 1000 }),
    ).rejects.toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    })
  })

  test.runIf(openssl)('passes openssl’s strictest check', async () => {
    const serverFolder = await createPrivateFolder({ name: 'test' })
    const ca = await serverFolder.put('ca.pem', authority.caPem)
    const cert = await serverFolder.put('cert.pem', authority.issue([HOST]).certPem)
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      HOST,
      '-CAfile',
      ca,
      cert,
    ]
    expect(await run(openssl ?? '', args)).toMatchObject({ code: 0, stdout: `${cert}: OK\n` })
    await serverFolder.remove()
  })
})
