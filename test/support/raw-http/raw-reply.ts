/** An HTTP/1.1 reply as it came over the socket. */
export interface RawReply {
  readonly status: number
  /** By lower-case name; of a name that comes twice, both values joined by a comma. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Whether the server closes the connection after it. */
  readonly isLast: boolean
}

export interface ReadOptions {
  /** Whether it answers a HEAD request, and so has no body whatever its headers say. */
  isHead: boolean
  /** Whether nothing more will come. */
  isEnded: boolean
}

const HEAD_END = '\r\n\r\n'

/**
 * Reads the first reply of `bytes`, and returns how many bytes it took; undefined if it is not complete. Throws for what is
 * not HTTP/1.1 (RFC 9112): a reply that no client could read is a fault too.
 */
export function readReply(
  bytes: Buffer,
  { isHead, isEnded }: ReadOptions,
): { reply: RawReply; length: number } | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [, digits] = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/.exec(statusLine) ?? []
  if (digits === undefined) throw new Error(`this is not a status line: ${JSON.stringify(statusLine)}`)
  const status = Number(digits)
  const headers = readHeaders(lines)
  const bodyAt = headEnd + HEAD_END.length
  const body = readBody(bytes.subarray(bodyAt), { status, headers, isHead, isEnded })
  if (!body) return undefined
  const isLast = /\bclose\b/i.test(headers.get('connection') ?? '')
  return { reply: { status, headers, body: body.content, isLast }, length: bodyAt + body.length }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([\w-]+): ?([\t\x20-\x7e]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new Error(`this is not a header: ${JSON.stringify(line)}`)
    const known = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`)
  }
  return headers
}

interface BodyOptions extends ReadOptions {
  status: number
  headers: ReadonlyMap<string, string>
}

function readBody(
  rest: Buffer,
  { status, headers, isHead, isEnded }: BodyOptions,
): { content: Buffer; length: number } | undefined {
  if (isHead || status < 200 || status === 204 || status === 304)
    return { content: Buffer.alloc(0), length: 0 }
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(rest)
  const length = headers.get('content-length')
  if (length === undefined) return isEnded ? { content: rest, length: rest.length } : undefined
  if (rest.length < Number(length)) return undefined
  return { content: rest.subarray(0, Number(length)), length: Number(length) }
}

function readChunks(rest: Buffer): { content: Buffer; length: number } | undefined {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (!Number.isInteger(size) || rest.length < end) return undefined
    if (size === 0) return { content: Buffer.concat(chunks), length: end }
    chunks.push(rest.subarray(lineEnd + 2, end - 2))
    at = end
  }
}
