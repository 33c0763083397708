import type { Choice } from './choice.ts'

const UNKNOWN_METHODS = ['FOO', 'get', 'POST\t', 'PRI', 'ＧＥＴ', '', 'G E T']

/** Returns bytes that are not HTTP/1.1 to the letter any more, or that hardly are. */
export function mangled(
  bytes: Buffer,
  { method, target, choice }: { method: string; target: string; choice: Choice },
): Buffer {
  const text = bytes.toString('latin1')
  const changed = choice.oneOf<() => string>([
    () => text.replace(method, choice.oneOf(UNKNOWN_METHODS)),
    () => text.replace(method, 'CONNECT'),
    () => text.replace(target, `${target}\u0000`),
    () => text.replace(target, `${target} ${target}`),
    () =>
      text.replace('HTTP/1.1', choice.oneOf(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 '])),
    () => text.replace('\r\n', choice.oneOf(['\n', '\r', '\r\n\r\n', '\r\n '])),
    () => text.replace('\r\n\r\n', choice.oneOf(['\n\n', '\r\n \r\n', '\r\n'])),
    () => text.replace('\r\n', '\r\ncontent-length: 3\r\ncontent-length: 4\r\n'),
    () => text.replace('\r\n', '\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n'),
    () => text.replace('\r\n', '\r\ntransfer-encoding: gzip, chunked\r\n'),
    () => text.replace('\r\n', '\r\ncontent-length: -1\r\n'),
    () => text.replace('\r\n', '\r\ncontent-length: 99999999999999999999\r\n'),
    () => text.replace('\r\n', `\r\nx-long: ${'a'.repeat(choice.integer(20_000, 60_000))}\r\n`),
    () => text.replace('\r\n', `\r\n${'x: y\r\n'.repeat(choice.integer(100, 4000))}`),
    () => text.replace('\r\n', '\r\nno colon here\r\n'),
    () => text.replace('\r\n', '\r\nhost : x\r\n'),
    () => text.replace('\r\n', '\r\n: empty\r\n'),
    () => text.slice(0, choice.integer(0, text.length)),
    () => `${text}GARBAGE`,
    () => `\r\n\r\n${text}`,
    () => `\u0016\u0003\u0001\u0000\u00f8${text}`,
    () => replacedAt(text, choice.integer(0, text.length - 1), String.fromCharCode(choice.integer(0, 255))),
  ])()
  return Buffer.from(changed, 'latin1')
}

const replacedAt = (text: string, at: number, letter: string) =>
  text.slice(0, at) + letter + text.slice(at + 1)
