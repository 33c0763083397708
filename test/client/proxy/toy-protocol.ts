import type { ProtocolParts, ProxyProtocol } from '../../../src/client/proxy/protocol.ts'
import { SessionError } from '../../../src/client/proxy/session-error.ts'
import type { ByteChannel } from '../../../src/client/wire/byte-channel.ts'
import { protocolError, refusedBy } from '../../../src/client/wire/wire-error.ts'

/**
 * A protocol with nothing but what a proxy has to do with one: a client says `hello`, a line, and gets `welcome`, a line; a server
 * within TLS gets the token, a line, and answers `K`, or `E`, a digit and a line.
 */
export function createToyProtocol(parts: ProtocolParts): ProxyProtocol {
  return {
    accept: client => ({
      async open(signal) {
        const word = await readLine(client)
        if (word === 'nothing') return undefined
        if (word !== 'hello' && word !== 'bug')
          throw new SessionError('this client says no hello', { failure: 'unsupported' })
        return parts.logIn(async token => {
          // with a line that looks like one of a stack
          if (word === 'bug') throw new TypeError(`a bug with\n    at ${token.token}:1:1`)
          const dialed = await parts.dial(token, { signal })
          const server = await parts.secure(dialed, token)
          server.write(Buffer.from(`${token.token}\n`))
          const [answer = 0] = await server.read(1)
          if (answer === 0x45) {
            const text = await readLine(server)
            throw refusedBy({ code: '28000', text, reply: Buffer.from(`the server says: ${text}\n`) })
          }
          if (answer !== 0x4b) throw protocolError('the server sent another answer')
          return { server, toClient: Buffer.from(`welcome ${dialed.address}\n`) }
        }, signal)
      },
      encodeError: ({ failure, message, reply }) => reply ?? Buffer.from(`${failure}: ${message}\n`),
    }),
  }
}

async function readLine(channel: ByteChannel): Promise<string> {
  let line = ''
  for (;;) {
    const letter = (await channel.read(1)).toString()
    if (letter === '\n') return line
    line += letter
    if (line.length > 100) throw protocolError('the line is too long')
  }
}
