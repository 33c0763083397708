import { chown } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { PrivateFolder } from '../../../src/dev/private-folder.ts'

type Check = (user: string, token: string) => Promise<boolean>

/**
 * Answers aws-authentication-plugin.c on a Unix socket in the server's folder. One question per connection: user and token,
 * each after its length in four bytes; the answer is `1` or `0`.
 */
export async function startVerifierSocket(options: {
  serverFolder: PrivateFolder
  name: string
  check: Check
}): Promise<{ path: string; close(): Promise<void> }> {
  const { serverFolder, name, check } = options
  const path = join(serverFolder.path, name)
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}))
    answer(socket, check).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
  if (serverFolder.user) await chown(path, serverFolder.user.uid, serverFolder.user.gid)
  return {
    path,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function answer(socket: Socket, check: Check): Promise<void> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    const user = field(bytes, 0)
    const token = user && field(bytes, user.end)
    if (!user || !token) continue
    socket.end((await check(user.text, token.text)) ? '1' : '0')
    return
  }
}

function field(bytes: Buffer, offset: number): { text: string; end: number } | undefined {
  if (bytes.length < offset + 4) return undefined
  const end = offset + 4 + bytes.readUInt32BE(offset)
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', offset + 4, end), end }
}
