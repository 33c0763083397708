import { isJsonObject, parseJson } from '../../lib/json.ts'
import { printableJson } from '../../lib/printable.ts'
import { type CallerError, failure } from '../errors.ts'
import type { FormLogin } from '../forms/form.ts'
import { FORMS } from '../forms/forms.ts'
import type { Edit } from './edit-file.ts'
import { type FileKindName, SHARED_KINDS } from './file-kinds.ts'
import type { Answer } from './kept-token.ts'
import { placeBlock } from './place-block.ts'
import type { WantedLogin } from './wanted-login.ts'

/** A login that is there. */
export interface ReadyLogin {
  readonly wanted: WantedLogin
  readonly answer: Answer
}

export interface FileContent {
  readonly kind: FileKindName
  readonly logins: readonly ReadyLogin[]
  /** How many logins the file is for, with those that are not there. */
  readonly plannedLogins: number
  /** The CA bundle that a login refers to. */
  caFileOf(login: WantedLogin): string
  /** Whether what is there is looked after, and not new: it stays if it is as good. */
  readonly isCheck: boolean
}

/** Returns what makes of a file's text the one with these logins. It throws CallerError if a form cannot hold one. */
export function editOf(content: FileContent): Edit {
  if (content.kind === 'ca') return caEdit(content)
  if (content.kind === 'json') return jsonEdit(content)
  const { form, hasToken, ...format } = SHARED_KINDS[content.kind]
  const blocks = content.logins.map(({ wanted, answer: { reply, connectAddress } }) => {
    const login: FormLogin = { reply: { ...reply, database: wanted.name }, connectAddress }
    if (form.refersToCa) login.caFile = content.caFileOf(wanted)
    return {
      key: wanted.key,
      text: toBytes(form.render(login)),
      until: hasToken ? reply.expiresAt : undefined,
    }
  })
  return text =>
    blocks.reduce(
      (before, block) => placeBlock(before, block, { ...format, isCheck: content.isCheck }),
      text ?? '',
    )
}

/** The first line of a CA bundle, which its readers skip: a bundle without it is somebody else's. */
const CA_MARK = "# RDS's CA certificates; jeton agent replaces this file\n"

/** The distinct bundles one after the other: that of each region. */
function caEdit({ logins, isCheck }: FileContent): Edit {
  const pems = logins.map(({ answer }) => `${answer.reply.ca?.pem ?? ''}`.replace(/\n?$/, '\n'))
  const fresh = toBytes(`${CA_MARK}${[...new Set(pems)].join('')}`)
  return text => {
    if (text && !text.startsWith(CA_MARK)) throw notOurs()
    return isCheck && text ? text : fresh
  }
}

/** One login as `jeton token -o json` prints it; several as members by their names. */
function jsonEdit({ logins, plannedLogins, isCheck }: FileContent): Edit {
  const [first] = logins
  const isOne = plannedLogins === 1 && first !== undefined
  const members = () =>
    Object.fromEntries(logins.map(({ wanted, answer }) => [wanted.name, answer.reply] as const))
  const fresh = toBytes(
    isOne ? FORMS.json.render({ reply: first.answer.reply }) : `${printableJson(members(), 2)}\n`,
  )
  return text => {
    if (text && !isOurs(parseJson(text))) throw notOurs()
    return isCheck && isAsGood(text ?? '', { logins, isOne }) ? (text ?? '') : fresh
  }
}

/** Whether JSON is a login, or some by their names. */
function isOurs(found: unknown): boolean {
  const isLogin = (value: unknown) => isJsonObject(value) && typeof value.token === 'string'
  return isLogin(found) || (isJsonObject(found) && Object.values(found).every(isLogin))
}

/** Whoever names a CA bundle may want to have it read, and not replaced. */
function notOurs(): CallerError {
  return failure('what is in it is not from jeton agent, and would be lost: name another file, or remove it')
}

/** Whether every token in it lasts as long as this agent's: another agent's may be newer. */
function isAsGood(
  text: string,
  { logins, isOne }: { logins: readonly ReadyLogin[]; isOne: boolean },
): boolean {
  const found = parseJson(text)
  if (!isJsonObject(found)) return false
  return logins.every(({ wanted, answer: { reply } }) => {
    const member = isOne ? found : found[wanted.name]
    const until = isJsonObject(member) ? Date.parse(String(member.expiresAt)) : Number.NaN
    return reply.expiresAt === undefined || until >= Date.parse(reply.expiresAt)
  })
}

function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}
