import { resolve } from 'node:path'
import { createCacheFolder } from '../client/cache-folder.ts'
import { clientFamily } from '../client/client-family.ts'
import { resolveConnectAddress } from '../client/connect-address.ts'
import { shellCommands } from '../client/environment.ts'
import { failure, invalidUsage } from '../client/errors.ts'
import type { Form } from '../client/forms/form.ts'
import { FORMS, type FormName } from '../client/forms/forms.ts'
import { readablePath } from '../client/login.ts'
import { type PutFile, putLoginFiles } from '../client/login-files.ts'
import { maskInJobLog } from '../client/masks.ts'
import type { TokenReply } from '../client/token-reply.ts'
import { replaceFile } from '../lib/replace-file.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { catchCallerErrors } from './caller-command.ts'
import { type CallerArguments, type CallerContext, requestTokenFor } from './token-options.ts'

export interface TokenArguments extends CallerArguments {
  /** The name of a form; default `token`. */
  output?: string | undefined
  /** Where to write the CA bundle. It is public, so everybody may read the file. */
  caFile?: string | undefined
  /** A CA bundle to refer to, instead of the server's. */
  ca?: string | undefined
}

/**
 * `jeton token`: prints a login in one of the forms. Stdout gets all of that or nothing; errors go to stderr, and so do the
 * commands that mask the token in a job's log. A form that refers to a CA bundle has it written to this user's cache, unless a
 * file is named. Returns the exit code.
 */
export function tokenCommand(args: TokenArguments, context: CallerContext): Promise<number> {
  return catchCallerErrors(context.stderr, async () => {
    const name = parseFormName(args.output ?? 'token')
    const bundle = await parseBundle(args, FORMS[name])
    const reply = await requestTokenFor(args, { caPem: bundle.mustWrite, context })
    const text = await render(reply, { name, bundle, context })
    await maskInJobLog(reply.token, context)
    context.stdout.write(text)
    return 0
  })
}

function parseFormName(text: string): FormName {
  const names = Object.keys(FORMS) as FormName[]
  const name = names.find(known => known === text)
  if (!name) throw invalidUsage(`-o takes one of ${names.join(', ')}`)
  return name
}

/** Which CA bundle the text refers to. */
interface Bundle {
  /** The path that was named; undefined for one in the cache, or if there is none. */
  path: string | undefined
  /** Whether the server's bundle is to be written. */
  mustWrite: boolean
}

async function parseBundle({ caFile, ca }: TokenArguments, form: Form): Promise<Bundle> {
  if (caFile !== undefined && ca !== undefined)
    throw invalidUsage('--ca names a CA bundle that is there, --ca-file one to be written: give one of them')
  if (ca !== undefined) return { path: await readablePath(ca), mustWrite: false }
  return {
    path: caFile === undefined ? undefined : resolve(caFile),
    mustWrite: form.refersToCa || caFile !== undefined,
  }
}

interface RenderOptions {
  name: FormName
  bundle: Bundle
  context: CallerContext
}

async function render(reply: TokenReply, { name, bundle, context }: RenderOptions): Promise<string> {
  const form: Form = FORMS[name]
  const isForClients = form.refersToCa || form.family !== undefined
  if (isForClients) checkFamily(reply, { name, form })
  const connectAddress = isForClients ? await resolveConnectAddress(reply, context.lookup) : undefined
  const put = createCacheFolder({ env: context.env, uid: process.getuid?.() })
  const caFile = await putBundle(reply, { bundle, put })
  // MySQL's clients check the server only with the options of a file
  if (name === 'env') return shellCommands(await putLoginFiles({ reply, caFile, connectAddress }, put))
  return form.render({ reply, caFile, connectAddress })
}

function checkFamily(reply: TokenReply, { name, form }: { name: FormName; form: Form }): void {
  const family = clientFamily(reply)
  if (form.family === undefined || form.family === family) return
  const clients = form.family === 'postgres' ? 'PostgreSQL' : 'MySQL and MariaDB'
  const others = family === 'postgres' ? 'pgpass or service' : 'mycnf'
  throw invalidUsage(`-o ${name} is for ${clients}; ${reply.database} is ${reply.engine}: take ${others}`)
}

/** Writes the CA bundle where that is due; returns the path to refer to. */
async function putBundle(
  { ca }: TokenReply,
  { bundle: { path, mustWrite }, put }: { bundle: Bundle; put: PutFile },
): Promise<string | undefined> {
  if (!mustWrite) return path
  // a reply without the CA bundle that was asked for is no reply
  const text = ca?.pem ?? ''
  if (path === undefined) return put({ name: 'ca.pem', text })
  await replaceFile(path, text).catch(cause => {
    throw failure(`cannot write the CA bundle to ${path}${systemCodeNote(cause)}`, cause)
  })
  return path
}
