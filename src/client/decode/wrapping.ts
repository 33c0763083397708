import { parseJsonObject } from '../../lib/json.ts'
import { parseEndpoint } from '../../rds/endpoint.ts'
import type { TokenProblem, TokenProblemCode } from './token-problem.ts'

/** A text without what software put around a token or did to it, and what that was. */
export interface Unwrapped {
  readonly text: string
  readonly problems: readonly TokenProblem[]
}

interface Wrapping {
  readonly code: TokenProblemCode
  readonly message: string
  /** Returns the text as it was before; the same text if nothing was done to it. */
  undo(text: string): string
}

const QUOTED = /^(["'`\u2018\u201c])([\s\S]*)(["'`\u2019\u201d])$/
const AROUND = /^["'`\u2018\u201c]|["'`\u2019\u201d]$/g
const VARIABLE = /^(?:export\s+|set\s+)?[A-Za-z_]\w{0,40}=(["'\w-]+[.:%][\s\S]*)$/
/** How a token for one of RDS's own names begins. */
const BEGINNING = /[\w.-]+\.rds\.[\w.-]+(?::\d+)?\/?\?(?:Action|DBUser|X-Amz-)/.source
/** What stands before the first such beginning, unless the text is one. */
const BEFORE = new RegExp(`^(?!${BEGINNING})[\\s\\S]*?[^\\w.%-](?=${BEGINNING})`, 'i')
/** What stands behind a whole signature, or the parameter that some signers write after it, and goes on with no other. */
const AFTER = /(X-Amz-Signature=[0-9a-f]{64}(?:&X-Amz-SignedHeaders=host)?)(?!\s*&)[\s"'`,)}\]@][\s\S]*$/
const MAX_ENCODINGS = 4

/** In the order in which they are undone: the outermost first. */
const WRAPPINGS: readonly Wrapping[] = [
  {
    code: 'whitespace',
    message: 'there is white space around it, which is part of the password to a database: leave it out',
    undo: text => text.trim(),
  },
  {
    code: 'prefix',
    message: 'the name of a variable stands in front of it: the password begins after the =',
    undo: text => {
      const [, value] = VARIABLE.exec(text) ?? []
      return value === undefined ? text : withoutQuotes(value)
    },
  },
  {
    code: 'quotes',
    message:
      'there are quotation marks around it, which are part of the password to a database: leave them out',
    undo: withoutQuotes,
  },
  {
    code: 'prefix',
    message: 'a scheme such as https:// stands in front of it: a token begins with the name of the endpoint',
    undo: text => text.replace(/^[a-z][a-z0-9+.-]{1,20}:\/\//i, ''),
  },
  {
    code: 'prefix',
    message:
      'something stands in front of it, such as the name of a setting or another line: the password begins with the name of the endpoint',
    undo: text => text.replace(BEFORE, ''),
  },
  {
    code: 'suffix',
    message:
      'something stands behind it, such as a quotation mark or another line: the password ends with its last parameter',
    undo: text => text.replace(AFTER, '$1'),
  },
  {
    code: 'whitespace',
    message: 'there is a space or a line break in it: something wrapped the line, or a + was read as a space',
    undo: withoutWhitespace,
  },
  {
    code: 'escaped',
    message: 'its & is written as in HTML or JSON (&amp; or \\u0026): take the text as it was before that',
    undo: text => text.replace(/&amp;|\\u0026/gi, '&'),
  },
  {
    code: 'escaped',
    message:
      'there are backslashes in it, as a line of .pgpass has them before each colon: take the text as it was before that',
    undo: text => text.replaceAll('\\', ''),
  },
  {
    code: 'encoded_twice',
    message:
      'it was percent-encoded once more, as for a URL (%25 in the place of %): the password is the text as it was before that',
    undo: withoutEncodings,
  },
]

/**
 * Takes from a text what people and software put around a token: white space (one line break at the end counts as none),
 * quotation marks, a scheme, a variable's name, one more percent-encoding. Of a reply of jeton in JSON it takes the token.
 */
export function unwrap(text: string): Unwrapped {
  const given = tokenOfReply(text) ?? text.replace(/\r?\n$/, '')
  const problems: TokenProblem[] = []
  let unwrapped = given
  for (const { code, message, undo } of WRAPPINGS) {
    const before = undo(unwrapped)
    if (before !== unwrapped) problems.push({ code, message })
    unwrapped = before
  }
  return { text: unwrapped, problems }
}

function tokenOfReply(text: string): string | undefined {
  const token = text.trimStart().startsWith('{') ? parseJsonObject(text)?.token : undefined
  return typeof token === 'string' ? token : undefined
}

function withoutQuotes(text: string): string {
  const [, , within] = QUOTED.exec(text) ?? []
  return (within ?? text.replace(AROUND, '')).trim()
}

function withoutWhitespace(text: string): string {
  const joined = text.replace(/\s+/g, '')
  const [host = ''] = /^[^:/?]*/.exec(joined) ?? []
  if (parseEndpoint(host).ok) return joined
  // what stands before the endpoint, such as a prompt or the end of another token, is no part of it
  return text.replace(/^[^?]*\s(?=[^\s?]*\?)/, '').replace(/\s+/g, '')
}

function withoutEncodings(text: string): string {
  let decoded = text
  for (let times = 0; times < MAX_ENCODINGS; times++) {
    const isWhole = !decoded.includes('?') && /%(?:25)*3F/i.test(decoded)
    if (!isWhole && !/X-Amz-(?:Credential|Security-Token)=[^&]*%25/i.test(decoded)) break
    // what is not ASCII was encoded before, and its % is
    decoded = isWhole
      ? decoded.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
      : decoded.replaceAll('%25', '%')
  }
  return decoded
}
