import { request as httpsRequest } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { type ConnectionOptions, connect, Server as TlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { secureContextOptions } from '../../src/http/tls-context.ts'
import { startApi } from '../support/service/app.ts'

const authority = createAuthority()
const { certPem: cert, keyPem: key } = authority.issue(['127.0.0.1'])
const secure = () => startApi({ options: { tls: { cert, key } } })

test('a client that verifies the certificate gets a token over TLS, with HSTS', async () => {
  const { url, bearer } = await secure()
  const { status, headers, body } = await post(`${url}/v1/tokens`, {
    ca: authority.caPem,
    authorization: await bearer(),
  })
  expect([status, JSON.parse(body).database]).toEqual([200, 'orders'])
  expect(headers['strict-transport-security']).toMatch(/^max-age=\d+/)
})

test('a client that does not trust the authority sends no request', async () => {
  const { url, records } = await secure()
  const ca = createAuthority().caPem
  await expect(post(`${url}/v1/tokens`, { ca, authorization: 'Bearer x' })).rejects.toThrow(
    /self-signed|unable to/,
  )
  expect(records).toEqual([])
})

// security level 0, since OpenSSL does not offer versions this old otherwise
test.each([
  ['TLSv1', undefined],
  ['TLSv1.1', undefined],
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
] as const)('of %s alone, the server chooses %s', async (version, agreed) => {
  const { port } = await secure()
  const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
  expect(await protocolOf({ port, host: '127.0.0.1', ca: authority.caPem, ...options })).toEqual(
    agreed ? { agreed } : { refused: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
  )
})

const PORT_OF = { host: '127.0.0.1', ca: authority.caPem }

test.each([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
])('of TLS 1.2 the server speaks %s, which authenticates what it encrypts', async ciphers => {
  const { port } = await secure()
  const tls12 = { ...PORT_OF, port, maxVersion: 'TLSv1.2', ciphers } as const
  expect(await protocolOf(tls12)).toEqual({ agreed: 'TLSv1.2' })
})

// suites of CBC, and those without forward secrecy
test.each([
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'AES128-GCM-SHA256',
  'AES256-SHA',
  'ECDHE-ECDSA-AES128-CCM8',
])('of TLS 1.2 the server refuses %s, before and after its certificate is renewed', async name => {
  const api = await secure()
  const tls12 = { ...PORT_OF, port: api.port, maxVersion: 'TLSv1.2', ciphers: `${name}:@SECLEVEL=0` } as const
  // OpenSSL 3.5, of Node 24, names it otherwise
  const refused = { refused: expect.stringMatching(/_ALERT_HANDSHAKE_FAILURE$/) }
  expect(await protocolOf(tls12)).toEqual(refused)
  if (api.app.server instanceof TlsServer)
    api.app.server.setSecureContext(secureContextOptions({ cert, key }))
  expect(await protocolOf(tls12)).toEqual(refused)
})

test('plain HTTP on the TLS port gets no reply', async () => {
  const { port, records } = await secure()
  const text = await new Promise(resolve => {
    let received = ''
    const socket = connectPlain(port, '127.0.0.1', () =>
      socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'),
    )
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
  expect(text).not.toContain('HTTP/1.1')
  expect(records).toEqual([])
})

interface Reply {
  status: number | undefined
  headers: Record<string, unknown>
  body: string
}

function post(url: string, { ca, authorization }: { ca: string; authorization: string }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/json' }
    const request = httpsRequest(url, { method: 'POST', ca, headers }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    request.on('error', reject)
    request.end('{"database":"orders"}')
  })
}

function protocolOf(
  options: ConnectionOptions,
): Promise<{ agreed: string | null } | { refused: string | undefined }> {
  return new Promise(resolve => {
    const socket = connect(options, () => {
      resolve({ agreed: socket.getProtocol() })
      socket.destroy()
    })
    socket.on('error', (cause: NodeJS.ErrnoException) => resolve({ refused: cause.code }))
  })
}
