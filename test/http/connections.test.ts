import { once } from 'node:events'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { followConnections } from '../../src/http/connections.ts'

test('two clients behind one address and port, at two addresses of this machine, are two connections', async () => {
  const authority = createAuthority()
  const { certPem: cert, keyPem: key } = authority.issue(['127.0.0.1'])
  const server = createServer({ cert, key })
  const connections = followConnections(server)
  await once(server.listen(0, '0.0.0.0'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo

  const open = async (host: string, localPort?: number): Promise<Socket> => {
    const accepted = once(server, 'connection')
    const from = localPort === undefined ? {} : { localPort }
    const socket = connect({ host, port, localAddress: '127.0.0.1', ...from })
    onTestFinished(() => void socket.destroy())
    await accepted
    return socket
  }
  const first = await open('127.0.0.1')
  await open('127.0.0.2', first.localPort)
  const secured = once(server, 'secureConnection')
  tlsConnect({ socket: first, ca: authority.caPem, host: '127.0.0.1' })
  const [socket] = await secured
  expect(connections.of(socket)?.socket.localAddress).toBe('127.0.0.1')
})
