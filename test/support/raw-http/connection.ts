import { connect, type Socket } from 'node:net'
import { type RawReply, readReply } from './raw-reply.ts'

/** A bare socket, since an HTTP client would refuse to send most of what is sent here. */
export interface Connection {
  readonly isOpen: boolean
  /** Sends bytes, such as the first half of a request. */
  send(bytes: Buffer): void
  /** Sends bytes and returns the next reply; undefined if the connection ends before it is complete. */
  exchange(bytes: Buffer, options: { isHead: boolean }): Promise<RawReply | undefined>
  /** Sends bytes and the end of the stream. Returns all replies until the server closes; `isHead` is of the first. */
  exchangeLast(bytes: Buffer, options: { isHead: boolean }): Promise<RawReply[]>
  close(): void
}

/** Longer than the server waits for a request that does not arrive completely. */
const TIMEOUT_MS = 15_000

/** Connects to a port of 127.0.0.1. Replies that do not come within 15 s reject. */
export async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let received = Buffer.alloc(0)
  let isEnded = false
  let wake = () => {}
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  // a reset ends the connection like a close: what came before it counts
  socket.on('error', () => {})
  socket.on('close', () => {
    isEnded = true
    wake()
  })
  socket.on('end', () => {
    isEnded = true
    socket.end()
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })

  async function more(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      wake = resolve
      timer = setTimeout(() => reject(new Error('no reply within 15 s')), TIMEOUT_MS)
    }).finally(() => clearTimeout(timer))
  }

  async function next(options: { isHead: boolean }): Promise<RawReply | undefined> {
    for (;;) {
      const read = readReply(received, { ...options, isEnded })
      if (read) {
        received = received.subarray(read.length)
        if (read.reply.status >= 200) return read.reply
      } else if (isEnded) return undefined
      else await more()
    }
  }

  return {
    get isOpen() {
      return !isEnded
    },
    send: bytes => void socket.write(bytes),
    async exchange(bytes, options) {
      socket.write(bytes)
      return next(options)
    },
    async exchangeLast(bytes, options) {
      socket.end(bytes)
      const replies: RawReply[] = []
      for (let reply = await next(options); reply; reply = await next({ isHead: false })) replies.push(reply)
      return replies
    },
    close: () => void socket.destroy(),
  }
}
