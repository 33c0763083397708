import { Duplex } from 'node:stream'
import { createByteChannel } from '../../../src/client/wire/byte-channel.ts'
import type { SecureChannel } from '../../../src/client/wire/secure-channel.ts'

/** A server that a test plays, on a channel that counts as verified. */
export interface FakeServer {
  readonly channel: SecureChannel
  /** All that the client has written. */
  written(): Buffer
  /** Sends bytes one by one, each as a piece of its own. */
  send(bytes: Buffer | string): void
  end(): void
}

export function createFakeServer(): FakeServer {
  const chunks: Buffer[] = []
  const connection = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return {
    channel: {
      ...createByteChannel(connection),
      stream: connection,
      certificate: { names: [], issuer: 'nobody', expiresAt: 0 },
      tlsVersion: 'TLSv1.3',
      endWriting() {},
      close() {},
    },
    written: () => Buffer.concat(chunks),
    send(bytes) {
      for (const byte of Buffer.from(bytes as string, 'latin1')) connection.push(Buffer.from([byte]))
    },
    end: () => void connection.push(null),
  }
}
