import { connect, type Socket } from 'node:net'

/** A reply as it came over a bare socket. */
export interface RawReply {
  readonly status: number
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A bare socket to a server on this machine, which keeps all that arrives. */
export interface RawSocket {
  readonly socket: Socket
  /** Sends bytes, in one write. */
  send(bytes: string): void
  /** All that has arrived, as Latin-1. */
  received(): string
  /** Resolves as soon as the text has arrived. */
  until(text: string): Promise<void>
  /** Resolves with all that arrived, when the server has closed the connection. */
  closed: Promise<string>
}

/** Connects, from 127.0.0.1 unless another loopback address is given. */
export function openRaw(port: number, { from = '127.0.0.1' }: { from?: string } = {}): RawSocket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  socket.on('error', () => {})
  return {
    socket,
    send: bytes => void socket.write(bytes, 'latin1'),
    received: () => text,
    async until(expected) {
      while (!text.includes(expected)) {
        if (socket.destroyed) throw new Error(`closed before ${expected} arrived: ${text}`)
        await new Promise(resolve => setImmediate(resolve))
      }
    },
    closed: new Promise(resolve => socket.once('close', () => resolve(text))),
  }
}

/** Sends bytes and resolves with the replies to them, when the server has closed the connection. */
export async function exchange(port: number, bytes: string): Promise<RawReply[]> {
  const raw = openRaw(port)
  raw.send(bytes)
  return parseReplies(await raw.closed)
}

/** Parses replies with a Content-Length each, or without a body. */
export function parseReplies(text: string): RawReply[] {
  const replies: RawReply[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) throw new Error(`half a reply: ${rest}`)
    const [start = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map(line => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    )
    const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0)
    replies.push({ status: Number(start.split(' ')[1]), headers, body: rest.slice(end + 4, bodyEnd) })
    rest = rest.slice(bodyEnd)
  }
  return replies
}
