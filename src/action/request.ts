import { createWaitNotice } from '../cli/wait-notice.ts'
import { findCredential } from '../client/credential.ts'
import { openSend } from '../client/open-send.ts'
import { requestToken } from '../client/request-token.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Clock } from '../lib/clock.ts'
import type { Environment } from '../lib/process-input.ts'
import type { ActionInputs } from './inputs.ts'
import type { Runner } from './runner.ts'

export interface ActionRequest extends Omit<ActionInputs, 'serverCa' | 'database'> {
  database: string
  /** The path of the CA bundle of the server. */
  serverCaFile: string | undefined
}

/** A token, and the caller identity that it was given to, in words. */
export interface ActionToken {
  reply: TokenReply
  identity: string
}

/**
 * Requests a token as the job, and says in the log why it waits. Each attempt asks the platform for a new JWT, because one
 * ends after five minutes. Throws CallerError.
 */
export async function requestForJob(
  { url, database, user, ca, audience, serverCaFile, waitMs }: ActionRequest,
  { env, runner, clock }: { env: Environment; runner: Runner; clock: Clock },
): Promise<ActionToken> {
  const serverCa =
    serverCaFile === undefined ? undefined : { path: serverCaFile, name: 'the input server-ca' }
  const network = { send: await openSend({ env, serverCa }), clock }
  const sources = { env: { ...env, JETON_AUDIENCE: audience }, stdin: NO_INPUT }
  const identity = await findCredential(sources, network)
  const reply = await requestToken(
    { database, ...(user !== undefined && { user }), ...(ca === undefined && { caPem: true }) },
    {
      ...network,
      url,
      urlName: 'the input url',
      credential: identity.getCredential,
      identity: identity.description,
      waitMs,
      onWait: createWaitNotice({ write: text => runner.log(text.trimEnd()) }),
      program: 'jeton-action',
    },
  )
  return { reply, identity: identity.description }
}

const NO_INPUT: AsyncIterable<string> = { [Symbol.asyncIterator]: async function* () {} }
